import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantiate } from '../../../kernels/index.ts';
import type { LinalgExports } from '../../../kernels/linalg/index.ts';
import { Rng } from '../../../kernels/rng/index.ts';
import { kernelModule } from './load.ts';

const module = await kernelModule();
const size = fc.integer({ min: 1, max: 30 });

function randomMatrix(rng: Rng, length: number): Float32Array {
  return Float32Array.from({ length }, () => rng.normal());
}

/** Runs a product of the binary on two matrices. */
function product(
  name: 'gemm' | 'gemmTransposed',
  a: Float32Array,
  b: Float32Array,
  [m, k, n]: [number, number, number],
): Float32Array {
  const instance = instantiate<LinalgExports>(module);
  const length = name === 'gemm' ? m * n : k * n;
  const [pa, pb, pc] = [a.length, b.length, length].map((count) => instance.alloc(4 * count));
  instance.f32(pa!, a.length).set(a);
  instance.f32(pb!, b.length).set(b);
  instance.exports[name](pa!, pb!, pc!, m, k, n);
  return instance.f32(pc!, length).slice();
}

describe('matrix products', () => {
  it('sum in one order, whatever the shape', () => {
    fc.assert(
      fc.property(size, size, size, fc.nat(), (m, k, n, seed) => {
        const rng = new Rng(seed);
        const a = randomMatrix(rng, m * k);
        const b = randomMatrix(rng, k * n);
        const expected = new Float32Array(m * n);
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++) {
            let sum = 0;
            for (let l = 0; l < k; l++) sum = Math.fround(sum + Math.fround(a[i * k + l]! * b[l * n + j]!));
            expected[i * n + j] = sum;
          }
        }
        expect(product('gemm', a, b, [m, k, n])).toEqual(expected);
      }),
      { seed: 1 },
    );
  });

  it('sum over rows in one order, whatever the shape', () => {
    fc.assert(
      fc.property(size, size, size, fc.nat(), (m, k, n, seed) => {
        const rng = new Rng(seed);
        const a = randomMatrix(rng, m * k);
        const b = randomMatrix(rng, m * n);
        const expected = new Float32Array(k * n);
        for (let i = 0; i < k; i++) {
          for (let j = 0; j < n; j++) {
            let sum = 0;
            for (let l = 0; l < m; l++) sum = Math.fround(sum + Math.fround(a[l * k + i]! * b[l * n + j]!));
            expected[i * n + j] = sum;
          }
        }
        expect(product('gemmTransposed', a, b, [m, k, n])).toEqual(expected);
      }),
      { seed: 2 },
    );
  });
});
