import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from './gpu/fleet-runs.ts';
import { GpuPlaces } from './support/gpu.ts';

let gpu: GpuPlaces;

beforeAll(async () => {
  gpu = await GpuPlaces.open();
});

afterAll(async () => {
  await gpu.close();
});

interface Side {
  mean: number[];
  sigma: number;
  iterations: number;
}

/** A run in which both sides do the same: on the GPU, then in WASM. */
interface Walk {
  name: string;
  sides: [Side, Side];
}

interface Search {
  onGpu: Report;
  inWasm: Report;
  walks: Walk[];
  moved: Record<'begun' | 'carried' | 'inWasm' | 'again', Report>;
}

type Run = Report['runs'][number];

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

const evaluations = ({ evaluations }: Run): number => evaluations;
/** The shader saw the target in f32; the exact value may be above it by rounding. */
const reached = ({ fun }: Pick<Run, 'fun'>): boolean => fun <= 1.001e-8;

/** Largest share by which the median of evaluations may differ between GPU and WASM. */
const EVALUATION_TOLERANCE = 0.15;

/** By how much the best of some restarts may be worse on a GPU, as a share of 1 + its size. */
const OPTIMUM_TOLERANCE = 1e-5;

function expectSimilar(ours: number, reference: number, share: number): void {
  expect(Math.abs(ours / reference - 1)).toBeLessThan(share);
}

/** After 32 generations: relative of σ, and of means around 1. */
const WALK_TOLERANCE = 1e-4;

function expectSameWalks(walks: readonly Walk[]): void {
  for (const { name, sides } of walks) {
    const [ours, reference] = sides;
    expect(ours.iterations, name).toBe(32);
    expectSimilar(ours.sigma, reference.sigma, WALK_TOLERANCE);
    ours.mean.forEach((value, i) => {
      expect(Math.abs(value - (reference.mean[i] ?? NaN)), name).toBeLessThan(WALK_TOLERANCE);
    });
  }
}

describe('256 runs on a GPU', () => {
  let running: Promise<unknown> | undefined;

  /** What all tests here look at. */
  const searched = async (): Promise<Search> => (await (running ??= gpu.run('Node', 'fleetSearch'))) as Search;

  it('say where they ran', async () => {
    const search = await searched();
    expect(search.onGpu.backend).toBe('webgpu');
    expect(search.onGpu.reason).toMatch(/^All runs fit on .*swiftshader/i);
    expect(search.onGpu.runs).toHaveLength(256);
    expect(search.inWasm.backend).toBe('wasm');
  });

  it.each([
    ['sphere', 0, 64],
    ['Rosenbrock’s function', 64, 128],
  ])('solve %s as often and as fast as in WASM', async (_, from, to) => {
    const search = await searched();
    const [ours, reference] = [search.onGpu, search.inWasm].map(({ runs }) => runs.slice(from, to));
    if (ours === undefined || reference === undefined) throw new Error('no runs');
    const solved = reference.filter(reached).length;
    expect(solved).toBeGreaterThan(50);
    expect(Math.abs(ours.filter(reached).length - solved)).toBeLessThanOrEqual(6);
    expectSimilar(median(ours.map(evaluations)), median(reference.map(evaluations)), EVALUATION_TOLERANCE);
    for (const run of ours.filter(reached)) expect(run.stop).toContain('ftarget');
  });

  it('find optima of Rastrigin’s function as good as in WASM', async () => {
    const search = await searched();
    const [ours, reference] = [search.onGpu, search.inWasm].map(({ runs }) => runs.slice(128));
    if (ours === undefined || reference === undefined) throw new Error('no runs');
    const values = (runs: Run[]): number[] => runs.map(({ fun }) => fun);
    expect(Math.abs(median(values(ours)) - median(values(reference)))).toBeLessThan(1.5);
    expectSimilar(median(ours.map(evaluations)), median(reference.map(evaluations)), EVALUATION_TOLERANCE);
    for (const { x } of ours) for (const value of x) expect(Math.abs(value)).toBeLessThanOrEqual(5.12);
  });

  it('report the exact value of what they found', async () => {
    const search = await searched();
    for (const { fun, exact } of search.onGpu.runs) expect(fun).toBe(exact);
  });

  it('walk as in WASM while their axes do not turn, for they draw the same numbers and see the same values', async () => {
    const search = await searched();
    expect(search.walks).toHaveLength(14);
    expectSameWalks(search.walks);
  });

  it('go on in WASM, and from there on a GPU, where they were', async () => {
    const search = await searched();
    const { begun, carried, inWasm, again } = search.moved;
    expect(carried.runs).toEqual(begun.runs);
    for (const { runs } of [inWasm, again]) {
      expect(runs.filter(reached).length).toBeGreaterThanOrEqual(6);
      expectSimilar(median(runs.map(evaluations)), median(search.inWasm.runs.slice(64, 128).map(evaluations)), 0.2);
    }
  });
});

describe('a fleet of another dimension on a GPU', () => {
  it('does as in WASM, from 1 to 40', async () => {
    const found = (await gpu.run('Node', 'fleetDimensions')) as {
      walks: Walk[];
      smallest: Report;
      largest: { onGpu: Report; inWasm: Report };
    };
    const { walks, smallest, largest } = found;
    expectSameWalks(walks);
    expect([smallest.backend, largest.onGpu.backend]).toEqual(['webgpu', 'webgpu']);
    for (const { fun } of smallest.runs) expect(reached({ fun })).toBe(true);
    largest.onGpu.runs.forEach((run, i) => {
      expect(run.stop).toEqual(['ftarget']);
      expectSimilar(run.evaluations, largest.inWasm.runs[i]?.evaluations ?? NaN, EVALUATION_TOLERANCE);
    });
  });
});

describe('acquisitions over an ensemble on a GPU in a Web Worker', () => {
  it('have optima no worse than in WASM', async () => {
    const found = (await gpu.run('Web Worker', 'fleetAcquisitions')) as {
      onGpu: Report;
      inWasm: Report;
      restarts: number;
    };
    const { onGpu, inWasm, restarts } = found;
    expect(onGpu.backend).toBe('webgpu');
    for (let from = 0; from < onGpu.runs.length; from += restarts) {
      const [ours, reference] = [onGpu, inWasm].map(({ runs }) =>
        Math.min(...runs.slice(from, from + restarts).map(({ fun }) => fun)),
      );
      expect((ours ?? NaN) - (reference ?? NaN)).toBeLessThan(OPTIMUM_TOLERANCE * (1 + Math.abs(reference ?? NaN)));
    }
    for (const { x, fun, exact } of onGpu.runs) {
      expect(fun).toBe(exact);
      for (const value of x) expect(value >= 0 && value <= 1).toBe(true);
    }
  });
});

interface Fallback {
  walks: Walk[];
  before: Report;
  after: Report;
  finished: Report;
  gone: string;
  reasons: { backend: string; reason: string }[];
  without: { backend: string; reason: string };
}

describe.each(['Node', 'page'] as const)('a fleet in a %s', (place) => {
  it('goes on in WASM when the device is lost or cannot take it, and says so', async () => {
    const found = (await gpu.run(place, 'fleetFallback')) as Fallback;
    const { walks, before, after, finished, gone, reasons, without } = found;
    expectSameWalks(walks);
    expect(before.backend).toBe('webgpu');
    expect(after.backend).toBe('wasm');
    expect(after.reason).toMatch(
      /^The GPU device was lost: .*\. The runs go on in WASM from where they were last read back\.$/,
    );
    expect(after.runs).toEqual(before.runs);
    for (const { fun, stop } of finished.runs) {
      expect(stop).toEqual(['ftarget']);
      expect(fun).toBeLessThanOrEqual(1e-10);
    }
    expect(gone).toMatch(/^The GPU device was lost/);
    expect(reasons).toEqual([
      { backend: 'wasm', reason: 'The GPU takes up to 40 dimensions, and there are 41.' },
      { backend: 'wasm', reason: 'The GPU does not know what CMA_diagonal asks for in run 0.' },
      { backend: 'wasm', reason: 'A generation of run 0 is too much for one dispatch.' },
    ]);
    expect(without).toEqual({ backend: 'wasm', reason: 'This engine has no WebGPU.' });
  });
});
