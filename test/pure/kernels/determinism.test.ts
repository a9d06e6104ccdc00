import { describe, expect, it } from 'vitest';
import { compileKernels } from '../../../scripts/lib/compile-kernels.mjs';
import { kernelFaults } from '../../../scripts/lib/kernel-rules.mjs';
import { readWasm } from '../../../scripts/lib/wasm.mjs';
import { kernelBytes } from './load.ts';

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const ONE_TYPE = [1, 4, 1, 0x60, 0, 0];
const IMPORT_A_LOG = [2, 9, 1, 1, 0x61, 3, 0x6c, 0x6f, 0x67, 0, 0];
const SHARED_MEMORY = [5, 4, 1, 3, 1, 1];

/** A module with one function whose body is `code`, and with further sections. */
function moduleWith(code: number[], { imports = [] as number[], memory = [] as number[] } = {}): Uint8Array {
  const body = [0, ...code, 0x0b];
  const functions = [3, 2, 1, 0];
  const codeSection = [10, body.length + 2, 1, body.length, ...body];
  return Uint8Array.of(...HEADER, ...ONE_TYPE, ...imports, ...functions, ...memory, ...codeSection);
}

// f32x4.relaxed_madd is fd 105, in LEB128 fd 85 02.
const RELAXED_MADD = [0xfd, 0x85, 0x02];

describe('the kernel binary', async () => {
  const binary = await kernelBytes();
  const { functions, opcodes } = readWasm(binary);

  it('is read in full, SIMD and all', () => {
    expect(functions).toBeGreaterThan(20);
    // f32x4.mul and f64.sqrt.
    expect([...opcodes.keys()]).toEqual(expect.arrayContaining(['fd e6', '9f']));
  });

  it('holds nothing for which its results could depend on the engine', () => {
    expect(kernelFaults(binary)).toEqual([]);
  });
});

describe('the check of binaries', () => {
  it.each([
    ['relaxed SIMD', moduleWith(RELAXED_MADD), /^Instruction fd 105 is relaxed SIMD/],
    ['atomics', moduleWith([0xfe, 0x03, 0x00]), /^Instruction fe 3 is atomic/],
    ['imports', moduleWith([], { imports: IMPORT_A_LOG }), /^It imports a\.log/],
    ['shared memory', moduleWith([], { memory: SHARED_MEMORY }), /memory is shared/],
  ])('refuses %s', (_, bytes, sentence) => {
    expect(kernelFaults(bytes)).toEqual([expect.stringMatching(sentence)]);
  });

  it('does not take immediates for instructions', () => {
    const constant = [0xfd, 0x0c, ...Array.from({ length: 16 }, (_, i) => (i % 2 ? 0x85 : 0xfd))];
    const bytes = moduleWith([...constant, 0x1a, 0x42, ...RELAXED_MADD, 0x1a]);
    expect([...readWasm(bytes).opcodes.keys()].sort()).toEqual(['0b', '1a', '42', 'fd c']);
    expect(kernelFaults(bytes)).toEqual([]);
  });

  it.each([
    ['other bytes', Uint8Array.of(1, 2, 3)],
    ['an unknown instruction', moduleWith([0xff, 0x00])],
    ['a body cut short', moduleWith([0x44, 0x00]).subarray(0, -1)],
  ])('refuses %s', (_, bytes) => {
    expect(() => readWasm(bytes)).toThrow(Error);
  });
});

describe('the build', () => {
  const compile = (source: string) => compileKernels('snippet.ts', (name) => (name === 'snippet.ts' ? source : null));

  it('takes mathematics that is compiled in', async () => {
    const { binary } = await compile('export function f(x: f64): f64 { return Math.exp(x); }');
    expect(readWasm(binary).imports).toEqual([]);
  });

  it('fails on the host’s mathematics, chance, clock and functions', async () => {
    const source = `
      declare function tell(x: f64): void;
      export function mathematics(x: f64): f64 { return JSMath.exp(x); }
      export function chance(): f64 { return Math.random(); }
      export function clock(): i64 { return Date.now(); }
      export function other(): void { tell(1); }`;
    const refusal = String(await compile(source).catch((error: unknown) => error));
    for (const name of ['env.Math.exp', 'env.seed', 'env.Date.now', 'snippet.tell']) {
      expect(refusal).toContain(`It imports ${name};`);
    }
  });

  it('fails on relaxed SIMD', async () => {
    const source = `export function f(p: usize): void {
      const x = v128.load(p);
      v128.store(p, f32x4.relaxed_madd(x, x, x));
    }`;
    await expect(compile(source)).rejects.toThrow(/relaxed/i);
  });
});
