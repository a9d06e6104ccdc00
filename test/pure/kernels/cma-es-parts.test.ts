import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { CmaEs, TOLERANCE } from '../../../kernels/cma-es/index.ts';
import type { CmaOptions } from '../../../kernels/cma-es/index.ts';
import type { CmaExports } from '../../../kernels/cma-es/exports.ts';
import { RunBlock, Workspace } from '../../../kernels/cma-es/block.ts';
import { parseOptions } from '../../../kernels/cma-es/options.ts';
import { strategyParameters } from '../../../kernels/cma-es/parameters.ts';
import type { StrategyParameters } from '../../../kernels/cma-es/parameters.ts';
import { jacobi } from '../../../kernels/cma-es/reference-matrix.ts';
import type { Matrix } from '../../../kernels/cma-es/reference-matrix.ts';
import { ReferenceCmaEs } from '../../../kernels/cma-es/reference.ts';
import type { Variants } from '../../../kernels/cma-es/reference.ts';
import { instantiate } from '../../../kernels/index.ts';
import { Rng } from '../../../kernels/rng/index.ts';
import { kernelModule } from './load.ts';

type Numbers = Omit<StrategyParameters, 'weights' | 'eigenGap' | 'popsize'>;
interface GoldenParameters extends Numbers {
  given: boolean;
  dimension: number;
  popsize: number;
  active: boolean;
  weights: number[];
  c1_sep: number;
  cmu_sep: number;
  cc_sep: number;
  maxiter: number;
  tolstagnation: number;
}
interface Golden {
  parameters: GoldenParameters[];
  bounds: { lower: number | null; upper: number | null; x: number; y: number }[];
}

const module = await kernelModule();
const file = new URL('../golden/cma-es/pycma.json', import.meta.url);
const golden = JSON.parse(await readFile(file, 'utf8')) as Golden;

const defaults = { dampfac: 1, diagonal: false };

describe('strategyParameters', () => {
  it.each(golden.parameters)('are pycma’s for d = $dimension, λ = $popsize, active $active', (expected) => {
    const { dimension, popsize, active } = expected;
    const actual = strategyParameters({ ...defaults, dimension, popsize, active });
    for (const name of ['mu', 'mueff', 'cc', 'c1', 'cmu', 'cs', 'damps', 'chiN'] as const) {
      expect(actual[name] / expected[name], name).toBeCloseTo(1, 12);
    }
    actual.weights.forEach((weight, i) => {
      expect(weight).toBeCloseTo(expected.weights[i]!, 12);
    });
    const separable = strategyParameters({ ...defaults, dimension, popsize, active, diagonal: true });
    expect(separable.c1 / expected.c1_sep).toBeCloseTo(1, 12);
    expect(separable.cmu / expected.cmu_sep).toBeCloseTo(1, 12);
    expect(separable.cc / expected.cc_sep).toBeCloseTo(1, 12);
  });

  it.each(golden.parameters)('go with pycma’s defaults for d = $dimension, λ = $popsize', (expected) => {
    const { dimension, popsize } = expected;
    const start = { dimension, x0: new Array<number>(dimension).fill(0), sigma0: 1, seed: 1 };
    const options = parseOptions(expected.given ? { ...start, popsize } : start);
    expect(options.popsize).toBe(popsize);
    expect(options).toMatchObject({ maxiter: expected.maxiter, tolstagnation: expected.tolstagnation });
  });

  it.each([10, 100, 1000, 10_000, 100_000])('learn variances as fast as sep-CMA-ES for d = %i', (n) => {
    const popsize = Math.floor(4 + 3 * Math.log(n));
    const { c1, cmu, mueff } = strategyParameters({ ...defaults, dimension: n, popsize, active: true, diagonal: true });
    // Ros and Hansen, PPSN 2008: c_cov of the full matrix times (n + 2)/3; pycma's constants are up to 1.6 times as great.
    const rankMu = (1 - 1 / mueff) * Math.min(1, (2 * mueff - 1) / ((n + 2) ** 2 + mueff));
    const separable = ((n + 2) / 3) * (2 / mueff / (n + Math.SQRT2) ** 2 + rankMu);
    expect((c1 + cmu) / separable).toBeGreaterThan(1);
    expect((c1 + cmu) / separable).toBeLessThan(1.6);
  });

  it('have pycma’s default population', () => {
    const sizes = [1, 2, 3, 10, 20, 40, 100].map((dimension) => {
      return parseOptions({ dimension, x0: new Array<number>(dimension).fill(0), sigma0: 1, seed: 1 }).popsize;
    });
    expect(sizes).toEqual([4, 6, 7, 10, 12, 15, 17]);
  });
});

const decomposer = instantiate<CmaExports>(module);

/** B and D of the fast version, so that the reference walks in the same eigenvectors. */
function fastEigen(C: Matrix): { B: Matrix; D: number[] } {
  const n = C.length;
  const ld = n + (n % 2);
  const [a, e, values, work] = [ld * ld, ld * ld, ld, 5 * ld].map((length) => decomposer.alloc(8 * length));
  C.forEach((row, i) => {
    decomposer.f64(a! + 8 * i * ld, n).set(row);
  });
  expect(decomposer.exports.cmaDecompose(a!, e!, values!, work!, n, ld)).toBe(1);
  const rows = C.map((_, j) => [...decomposer.f64(e! + 8 * j * ld, n)]);
  return { B: C.map((_, i) => rows.map((row) => row[i]!)), D: [...decomposer.f64(values!, n)].map(Math.sqrt) };
}

function randomSymmetric(n: number, seed: number): Matrix {
  const rng = new Rng(seed);
  const factor = Array.from({ length: n }, () => Array.from({ length: n }, () => rng.normal()));
  return factor.map((a) => factor.map((b) => a.reduce((sum, value, k) => sum + value * b[k]!, 0)));
}

describe('the eigendecomposition', () => {
  it.each([1, 2, 3, 4, 7, 8, 13, 24, 33])('agrees with Jacobi’s method in %i dimensions', (n) => {
    const C = randomSymmetric(n, n);
    const { B, D } = fastEigen(C);
    const expected = jacobi(C).values;
    const scale = expected[n - 1]!;
    D.forEach((length, i) => {
      expect(Math.abs(length ** 2 - expected[i]!)).toBeLessThan(1e-13 * n * scale);
    });
    const pairs = C.flatMap((row, i) => row.map((value, j) => ({ i, j, value })));
    const rebuilt = pairs.map(({ i, j, value }) => {
      return Math.abs(D.reduce((sum, length, k) => sum + B[i]![k]! * length ** 2 * B[j]![k]!, 0) - value);
    });
    const product = pairs.map(({ i, j }) => {
      return Math.abs(B.reduce((sum, row) => sum + row[i]! * row[j]!, 0) - (i === j ? 1 : 0));
    });
    expect(Math.max(...rebuilt)).toBeLessThan(1e-13 * n * scale);
    expect(Math.max(...product)).toBeLessThan(1e-14 * n);
  });

  it('takes equal eigenvalues and matrices that are diagonal already', () => {
    const diagonal = [3, 1, 1, 2, 1].map((value, i) => [0, 0, 0, 0, 0].with(i, value));
    expect(fastEigen(diagonal).D.map((length) => length ** 2)).toEqual([
      1, 1, 1, 2.0000000000000004, 2.9999999999999996,
    ]);
  });

  it('gives up on entries that are not finite', () => {
    const instance = instantiate<CmaExports>(module);
    for (const strange of [NaN, Infinity]) {
      const a = instance.alloc(8 * 16);
      instance.f64(a, 16).fill(strange);
      const [e, values, work] = [16, 4, 20].map((length) => instance.alloc(8 * length));
      expect(instance.exports.cmaDecompose(a, e!, values!, work!, 4, 4)).toBe(0);
    }
  });
});

describe('a covariance matrix that has been damaged by rounding', () => {
  /** One generation from the given C (lower triangle by rows). */
  function afterGeneration(covariance: number[]): RunBlock {
    const options = parseOptions({ dimension: 2, x0: [0, 0], sigma0: 1, seed: 1 });
    const shape = { ...defaults, dimension: 2, popsize: 6, active: true, updatecovwait: 1 };
    const block = new RunBlock(new Workspace(module), { ...options, popsize: 6, diagonal: false });
    block.begin(options, strategyParameters(shape), [0, 0], 0);
    block.load({ ...block.save(), covariance: Float64Array.from(covariance) });
    block.ask();
    block.values.set([1, 2, 3, 4, 5, 6]);
    block.rank();
    block.tell();
    return block;
  }

  it('gets enough of the identity added to be positive definite again', () => {
    const block = afterGeneration([1, 2, 1]);
    expect(block.get('axisMin')).toBeGreaterThan(0);
    block.ask();
    expect(block.part('x', 12).every(Number.isFinite)).toBe(true);
  });

  it('starts anew when it has overflowed', () => {
    const block = afterGeneration([Infinity, 0, 1]);
    expect([block.get('axisMin'), block.get('axisMax')]).toEqual([1, 1]);
    block.ask();
    expect(block.part('x', 12).every(Number.isFinite)).toBe(true);
  });
});

describe('the reference', () => {
  const ellipsoid = (x: ArrayLike<number>): number =>
    Array.from(x).reduce((sum, value, i) => sum + 10 ** (4 * (i / x.length)) * (value + 0.3 * x[0]!) ** 2, 0);

  /** Both versions side by side from the same random numbers. */
  function walk(dimension: number, popsize: number, options: Partial<CmaOptions>, variants: Variants): void {
    const x0 = Array.from({ length: dimension }, (_, i) => 1 + i / 3);
    const parameters = strategyParameters({ ...defaults, dimension, popsize, active: true });
    const rng = new Rng(7);
    const reference = new ReferenceCmaEs(parameters, x0, 0.7, () => rng.normal(), fastEigen, variants);
    const fast = CmaEs.create(module, { dimension, x0, sigma0: 0.7, seed: 7, popsize, CMA_mirrors: 0, ...options });
    for (let g = 0; g < TOLERANCE.generations; g++) {
      const population = fast.ask();
      const expected = reference.ask();
      const apart = expected.flat().map((value, i) => Math.abs(population[i]! - value) / Math.max(1, Math.abs(value)));
      expect(Math.max(...apart), `generation ${g}`).toBeLessThan(TOLERANCE.relative);
      const values = expected.map((x) => ellipsoid(x));
      fast.tell(values);
      reference.tell(values);
    }
    expect(fast.sigma / reference.sigma).toBeCloseTo(1, 8);
    fast.stds.forEach((std, i) => {
      expect(std / (reference.sigma * Math.sqrt(reference.C[i]![i]!))).toBeCloseTo(1, 8);
    });
  }

  it.each([
    { dimension: 1, popsize: 5 },
    { dimension: 2, popsize: 6 },
    { dimension: 5, popsize: 8 },
    { dimension: 10, popsize: 11 },
    { dimension: 17, popsize: 4 },
    { dimension: 6, popsize: 60 },
  ])('walks with the fast version in $dimension dimensions with $popsize candidates', ({ dimension, popsize }) => {
    walk(dimension, popsize, {}, {});
  });

  it.each([
    { name: 'pairs', options: { CMA_mirrors: 3, CMA_mirrormethod: 0 }, variants: { pairs: 3 } },
    { name: 'images of the worst', options: { CMA_mirrors: 2 }, variants: { images: 2 } },
    { name: 'an elite', options: { CMA_elitist: true }, variants: { elitist: true } },
    { name: 'adaptive rates', options: { lr_adapt: true }, variants: { adaptive: true } },
    {
      name: 'all that goes together',
      options: { CMA_mirrors: 4, CMA_mirrormethod: 0, CMA_elitist: true },
      variants: { pairs: 4, elitist: true },
    },
  ] as const)('walks with the fast version with $name', ({ options, variants }) => {
    for (const [dimension, popsize] of [
      [1, 8],
      [2, 9],
      [5, 8],
      [10, 11],
      [6, 30],
    ] as const) {
      walk(dimension, popsize, options, variants);
    }
  });
});

describe('bounds', () => {
  /** The candidates of a run that begins at x0, bent, and what they are without bounds. */
  function populations(lower: number | null, upper: number | null, x0: number, sigma0: number): [number, number][] {
    const options = { dimension: 1, x0: [x0], sigma0, seed: 3, popsize: 64, maxstd: 1e300 };
    const bent = CmaEs.create(module, { ...options, bounds: { lower, upper } }).ask();
    const free = CmaEs.create(module, options).ask();
    return Array.from(free, (x, k) => [x, bent[k]!]);
  }

  it('leave the middle alone and keep everything inside', () => {
    for (const [x, y] of populations(-5, 5, 0, 6)) {
      if (Math.abs(x) < 4.75) expect(y).toBe(x);
      expect(Math.abs(y)).toBeLessThanOrEqual(5);
    }
    for (const [x, y] of populations(0, null, 3, 5)) {
      if (x > 0.05) expect(y).toBe(x);
      expect(y).toBeGreaterThanOrEqual(0);
    }
  });

  it('bend points as pycma does', () => {
    const parameters = strategyParameters({ ...defaults, dimension: 1, popsize: 4, active: true });
    const workspace = new Workspace(module);
    for (const { lower, upper, x, y } of golden.bounds) {
      const inside = lower ?? upper!;
      const options = { dimension: 1, x0: [inside], sigma0: 1, seed: 1, popsize: 4, bounds: { lower, upper } };
      const resolved = parseOptions(options);
      const block = new RunBlock(workspace, { ...resolved, diagonal: false });
      block.begin(resolved, parameters, [x], 0);
      expect(block.mean()[0], `${x} in ${lower} … ${upper}`).toBeCloseTo(y, 10);
    }
  });

  it('let a run begin where it was told to, also at a bound', () => {
    for (const x0 of [-5, -4.9, 0, 4.99, 5]) {
      const run = CmaEs.create(module, { dimension: 1, x0: [x0], sigma0: 1, seed: 1, bounds: { lower: -5, upper: 5 } });
      expect(run.mean[0]).toBeCloseTo(x0, 12);
    }
  });
});
