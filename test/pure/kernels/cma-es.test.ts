import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CMA_OPTION_NAMES, CmaEs } from '../../../kernels/cma-es/index.ts';
import type { CmaOptions } from '../../../kernels/cma-es/index.ts';
import { KernelInputError } from '../../../kernels/index.ts';
import { Rng } from '../../../kernels/rng/index.ts';
import { kernelModule } from './load.ts';

const module = await kernelModule();

type Objective = (x: Float64Array) => number;

const sphere: Objective = (x) => x.reduce((sum, value) => sum + value * value, 0);
const ellipsoid: Objective = (x) => x.reduce((sum, value, i) => sum + 10 ** ((6 * i) / (x.length - 1)) * value ** 2, 0);

function start(dimension: number, options: Partial<CmaOptions> = {}): CmaOptions {
  return { dimension, x0: new Array<number>(dimension).fill(1), sigma0: 0.5, seed: 11, ...options };
}

function values(es: CmaEs, objective: Objective): Float64Array {
  const population = es.ask();
  const d = es.dimension;
  return Float64Array.from({ length: es.popsize }, (_, k) => objective(population.subarray(k * d, (k + 1) * d)));
}

function advance(es: CmaEs, objective: Objective, generations: number): CmaEs {
  for (let g = 0; g < generations; g++) es.tell(values(es, objective));
  return es;
}

function optimise(options: CmaOptions, objective: Objective): CmaEs {
  const es = CmaEs.create(module, options);
  while (Object.keys(es.stop()).length === 0) es.tell(values(es, objective));
  return es;
}

function refusal(act: () => unknown): KernelInputError {
  try {
    act();
  } catch (error) {
    if (error instanceof KernelInputError) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

describe('ask and tell', () => {
  it('give the same population until the values have come', () => {
    const es = CmaEs.create(module, start(3));
    const population = es.ask();
    population.fill(9);
    const again = es.ask();
    expect(again).not.toEqual(population);
    expect(es.ask()).toEqual(again);
    es.tell(new Float64Array(es.popsize));
    expect(es.ask()).not.toEqual(again);
  });

  it('write the population where the caller wants it, fixed variables included', () => {
    const options = start(5, { fixed_variables: { 1: 7 } });
    const [es, twin] = [CmaEs.create(module, options), CmaEs.create(module, options)];
    const out = new Float64Array(5 * es.popsize);
    for (let g = 0; g < 3; g++) {
      expect(es.ask(out)).toBe(out);
      expect(out).toEqual(twin.ask());
      const column = Float64Array.from({ length: es.popsize }, (_, k) => out[5 * k] ?? NaN);
      es.tell(column);
      twin.tell(column);
    }
    expect(refusal(() => es.ask(new Float64Array(5))).field).toBe('out');
  });

  it('rank equal values by index and NaN last', () => {
    const tied = CmaEs.create(module, start(4, { popsize: 8 }));
    const ordered = CmaEs.create(module, start(4, { popsize: 8 }));
    tied.ask();
    ordered.ask();
    tied.tell([NaN, 2, 1, Infinity, 1, NaN, 2, 0]);
    ordered.tell([6, 3, 1, 5, 2, 7, 4, 0]);
    expect(tied.mean).toEqual(ordered.mean);
    expect(tied.sigma).toBe(ordered.sigma);
    expect(tied.stds).toEqual(ordered.stds);
  });

  it('rank large populations as a stable sort does', () => {
    const rng = new Rng(5);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 90 }), (list) => {
        const options = start(2, { popsize: list.length, seed: rng.integer(1000) });
        const order = list.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
        const distinct = new Array<number>(list.length);
        order.forEach(({ index }, rank) => {
          distinct[index] = rank;
        });
        const [tied, ranked] = [CmaEs.create(module, options), CmaEs.create(module, options)];
        tied.ask();
        ranked.ask();
        tied.tell(list);
        ranked.tell(distinct);
        expect(tied.mean).toEqual(ranked.mean);
        expect(tied.stds).toEqual(ranked.stds);
      }),
      { numRuns: 60 },
    );
  });

  it('keep the best point, its value and when it came', () => {
    const es = CmaEs.create(module, start(2, { popsize: 6 }));
    expect(es.best).toEqual({ x: Float64Array.of(1, 1), fun: Infinity, evaluations: 0 });
    const population = es.ask();
    es.tell([5, 4, NaN, 1, 1, 9]);
    expect(es.best).toEqual({ x: population.slice(6, 8), fun: 1, evaluations: 4 });
    es.ask();
    es.tell([2, 2, 2, 2, 2, 2]);
    expect(es.best.evaluations).toBe(4);
    expect([es.evaluations, es.iterations]).toEqual([12, 2]);
  });

  it('learn nothing from a generation of NaNs, and stop after ten of them in a row', () => {
    const es = advance(CmaEs.create(module, start(3)), sphere, 5);
    const { mean, sigma, stds } = es;
    const first = es.ask();
    for (let g = 0; g < 9; g++) advance(es, () => NaN, 1);
    expect({ mean: es.mean, sigma: es.sigma, stds: es.stds, stop: es.stop() }).toEqual({ mean, sigma, stds, stop: {} });
    expect(es.ask()).not.toEqual(first);
    advance(es, sphere, 1);
    advance(es, () => NaN, 9);
    expect(es.stop()).toEqual({});
    advance(es, () => NaN, 1);
    expect(es.stop()).toEqual({ allnan: 10 });
    expect(es.iterations).toBe(25);
  });

  it('search one variable, bounded or not', () => {
    expect(optimise(start(1, { ftarget: 1e-12 }), sphere).stop()).toHaveProperty('ftarget');
    const bounded = start(1, { bounds: { lower: 0.25, upper: 4 }, tolfun: 1e-9 });
    expect(optimise(bounded, sphere).best.x[0]).toBeCloseTo(0.25, 6);
  });

  it('do not depend on what else runs', () => {
    const alone = advance(CmaEs.create(module, start(6)), ellipsoid, 30);
    const [one, other] = [CmaEs.create(module, start(6)), CmaEs.create(module, start(6, { seed: 12 }))];
    for (let g = 0; g < 30; g++) {
      advance(one, ellipsoid, 1);
      advance(other, ellipsoid, 1);
    }
    expect(one.snapshot()).toEqual(alone.snapshot());
    expect(other.mean).not.toEqual(alone.mean);
  });
});

describe('bounds', () => {
  it('are never left, whatever the objective prefers', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ min: 0.01, max: 80, noNaN: true })),
          {
            minLength: 1,
            maxLength: 5,
          },
        ),
        fc.double({ min: 0.01, max: 1000, noNaN: true }),
        (boxes, sigma0) => {
          const lower = boxes.map(([low]) => low);
          const upper = boxes.map(([low, width]) => low + width);
          const x0 = lower.map((low, i) => (low + upper[i]!) / 2);
          const es = CmaEs.create(module, start(boxes.length, { bounds: { lower, upper }, x0, sigma0 }));
          for (let g = 0; g < 15; g++) {
            es.ask().forEach((x, i) => {
              expect(x).toBeGreaterThanOrEqual(lower[i % boxes.length]!);
              expect(x).toBeLessThanOrEqual(upper[i % boxes.length]!);
            });
            advance(es, (x) => x.reduce((sum, value) => sum - value, 0), 1);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('let optima on the bound, in a corner and inside be found', () => {
    const bounds = { lower: [1, -2, null, -5], upper: [null, -1, 0, 5] };
    const es = optimise(start(4, { x0: [2, -1.5, -1, 3], bounds, tolfun: 1e-10 }), sphere);
    const near = [1, -1, 0, 0];
    es.best.x.forEach((x, i) => {
      expect(x).toBeCloseTo(near[i]!, 3);
    });
  });

  it('limit the spread to a third of the range', () => {
    const es = CmaEs.create(module, start(2, { sigma0: 100, bounds: { lower: [-3, null], upper: [3, null] } }));
    expect(es.stds[0]).toBeCloseTo(2, 12);
    expect(es.stds[1]).toBe(100);
  });
});

describe('variants', () => {
  it('learn variances alone when told so, also for many variables', () => {
    const es = optimise(start(300, { CMA_diagonal: true, ftarget: 1e-6, maxfevals: 200_000 }), sphere);
    expect(es.stop()).toHaveProperty('ftarget');
    const separable = optimise(start(10, { CMA_diagonal: true, ftarget: 1e-8 }), ellipsoid);
    const full = optimise(start(10, { ftarget: 1e-8 }), ellipsoid);
    expect(separable.evaluations).toBeLessThan(full.evaluations);
  });

  it('take 100,000 variables when they learn variances alone', () => {
    const options = start(100_000, { CMA_diagonal: true, sigma0: 0.01 });
    const es = advance(CmaEs.create(module, options), sphere, 2);
    const resumed = CmaEs.resume(module, es.snapshot());
    const population = es.ask();
    expect(resumed.ask().every((x, i) => x === population[i])).toBe(true);
    advance(es, sphere, 1);
    expect(es.best.fun).toBeLessThan(100_000);
    expect(advance(resumed, sphere, 1).best.fun).toBe(es.best.fun);
  });

  it('go over to a full matrix after the diagonal iterations', () => {
    const turned: Objective = (x) => ellipsoid(x.map((value, i) => value + (i > 0 ? x[i - 1]! : 0)));
    const mixed = optimise(start(8, { CMA_diagonal: 20, ftarget: 1e-8 }), turned);
    expect(mixed.stop()).toHaveProperty('ftarget');
    const early = advance(CmaEs.create(module, start(8, { CMA_diagonal: 20 })), turned, 20);
    const always = advance(CmaEs.create(module, start(8, { CMA_diagonal: true })), turned, 20);
    expect(early.mean).toEqual(always.mean);
    expect(early.stds).toEqual(always.stds);
    expect(advance(early, turned, 5).mean).not.toEqual(advance(always, turned, 5).mean);
  });

  it('need fewer evaluations with negative weights on an ill-conditioned function', () => {
    const active = optimise(start(10, { ftarget: 1e-8 }), ellipsoid);
    const passive = optimise(start(10, { ftarget: 1e-8, CMA_active: false }), ellipsoid);
    expect(active.evaluations).toBeLessThan(passive.evaluations);
  });

  it('begin with given scales', () => {
    const es = CmaEs.create(module, start(3, { CMA_stds: [1, 10, 100], minstd: [0, 0, 70], maxstd: 60.5 + 9.5 }));
    expect([...es.stds]).toEqual([0.5, 5, 70]);
  });

  it('move scales out of C before coordinates differ too much', () => {
    const steep: Objective = (x) => x[0]! ** 2 + 1e12 * x[1]! ** 2 + 1e-2 * x[2]! ** 2;
    expect(optimise(start(3, { ftarget: 1e-9 }), steep).stop()).toHaveProperty('ftarget');
  });
});

describe('snapshots', () => {
  it.each([
    ['free', start(5)],
    ['bounded', start(4, { bounds: { lower: [0.5, null, -1, 0], upper: [null, 2, 3, 1] } })],
    ['odd and large', start(7, { popsize: 31 })],
    ['separable', start(6, { CMA_diagonal: true })],
    ['changing over', start(6, { CMA_diagonal: 9 })],
    ['one-dimensional', start(1)],
  ])('continue a %s run bit for bit, wherever it was interrupted', (_, options) => {
    const whole = advance(CmaEs.create(module, options), ellipsoid1, 25).snapshot();
    let es = CmaEs.create(module, options);
    for (let g = 0; g < 25; g++) {
      es = CmaEs.resume(module, es.snapshot());
      const population = es.ask();
      es = CmaEs.resume(module, es.snapshot());
      expect(es.ask()).toEqual(population);
      advance(es, ellipsoid1, 1);
    }
    expect(es.snapshot()).toEqual(whole);
  });

  it('continue into the same end', () => {
    const options = start(4, { tolfun: 1e-6 });
    const whole = optimise(options, sphere);
    let es = CmaEs.create(module, options);
    while (Object.keys(es.stop()).length === 0) es = advance(CmaEs.resume(module, es.snapshot()), sphere, 1);
    expect(CmaEs.resume(module, es.snapshot()).stop()).toEqual(whole.stop());
    expect(es.best).toEqual(whole.best);
  });

  it('count generations of NaNs across an interruption', () => {
    const es = advance(CmaEs.create(module, start(2)), () => NaN, 6);
    expect(advance(CmaEs.resume(module, es.snapshot()), () => NaN, 4).stop()).toEqual({ allnan: 10 });
  });

  it('are refused when they are damaged or foreign', () => {
    const bytes = CmaEs.create(module, start(3)).snapshot();
    expect(refusal(() => CmaEs.resume(module, bytes.subarray(0, 100))).field).toMatch(/^snapshot/);
    expect(refusal(() => CmaEs.resume(module, new Uint8Array(64))).field).toBe('snapshot');
    const text = new TextDecoder('latin1').decode(bytes).replace('"dimension":3', '"dimension":4');
    const altered = Uint8Array.from(text, (character) => character.charCodeAt(0));
    expect(refusal(() => CmaEs.resume(module, altered)).field).toMatch(/^(x0|snapshot)/);
  });
});

function ellipsoid1(x: Float64Array): number {
  return x.reduce((sum, value, i) => sum + (i + 1) ** 3 * (value - 0.1 * i) ** 2, 0);
}

describe('options', () => {
  it.each([
    ['dimension', { dimension: 0 }],
    ['dimension', { dimension: 2.5 }],
    ['dimension', { dimension: 2001 }],
    ['x0', { x0: [1] }],
    ['x0', { x0: 1 as unknown as number[] }],
    ['x0[1]', { x0: [1, NaN] }],
    ['sigma0', { sigma0: 0 }],
    ['sigma0', { sigma0: -1 }],
    ['sigma0', { sigma0: NaN }],
    ['seed', { seed: -1 }],
    ['seed', { seed: 0.5 }],
    ['popsize', { popsize: 1 }],
    ['popsize', { popsize: 1e9 }],
    ['popsize', { popsize: 6.5 }],
    ['bounds.lower[0]', { bounds: { lower: 2, upper: 1 } }],
    ['bounds.lower[1]', { bounds: { lower: [0, 1], upper: [2, 1] } }],
    ['bounds.lower', { bounds: { lower: [0], upper: null } }],
    ['bounds.upper[0]', { bounds: { lower: null, upper: [NaN, 3] } }],
    ['x0[0]', { bounds: { lower: 1.5, upper: 3 } }],
    ['CMA_stds', { CMA_stds: [1, 2, 3] }],
    ['CMA_stds[1]', { CMA_stds: [1, 0] }],
    ['CMA_active', { CMA_active: 1 as unknown as boolean }],
    ['CMA_diagonal', { CMA_diagonal: -1 }],
    ['CSA_dampfac', { CSA_dampfac: 0 }],
    ['minstd', { minstd: 2, maxstd: 1 }],
    ['maxstd', { maxstd: 0 }],
    ['maxiter', { maxiter: 0 }],
    ['maxfevals', { maxfevals: 0 }],
    ['tolfun', { tolfun: -1 }],
    ['tolx', { tolx: NaN }],
    ['tolxstagnation', { tolxstagnation: [1, 2] as unknown as [number, number, number] }],
    ['ftarget', { ftarget: Infinity }],
    ['tolfn', { tolfn: 1 } as Partial<CmaOptions>],
  ])('refuse a fault in %s by name', (field, fault) => {
    expect(refusal(() => CmaEs.create(module, start(2, fault))).field).toBe(field);
  });

  it('are all listed, and all accepted', () => {
    const all: Required<CmaOptions> = {
      ...{ dimension: 2, x0: [0, 1], sigma0: 0.3, seed: 1, bounds: { lower: [-1, null], upper: 2 }, popsize: 7 },
      ...{
        BoundaryHandler: 'BoundPenalty',
        fixed_variables: {},
        integer_variables: [],
        CMA_mirrors: 0.2,
        CMA_mirrormethod: 0,
      },
      ...{
        CMA_elitist: 'initial',
        lr_adapt: false,
        cov: [
          [1, 0.1],
          [0.1, 2],
        ],
      },
      ...{ CMA_active: false, CMA_diagonal: 0, CMA_stds: [1, 2], CSA_dampfac: 1.5, minstd: 1e-9, maxstd: [1, 2] },
      ...{
        maxstd_boundrange: 0.5,
        updatecovwait: 2,
        ftarget: -1,
        maxfevals: 1000,
        maxiter: 50,
        tolfun: 0,
        tolfunhist: 0,
      },
      ...{
        tolfunrel: 0,
        tolx: 0,
        tolfacupx: 10,
        tolupsigma: 0,
        tolconditioncov: 0,
        tolflatfitness: 3,
        tolstagnation: 0,
      },
      tolxstagnation: false,
    };
    expect(Object.keys(all).sort()).toEqual([...CMA_OPTION_NAMES].sort());
    expect(optimise(all, sphere).stop()).toEqual({ maxiter: 50 });
  });

  it('leave the caller’s own object alone', () => {
    const options = start(2);
    const es = CmaEs.create(module, options);
    (options.x0 as number[])[0] = 99;
    expect(es.best.x[0]).toBe(1);
  });

  it.each([
    ['values', (es: CmaEs) => es.tell([1, 2])],
    ['values[1]', (es: CmaEs) => es.tell([1, undefined, 2, 3] as unknown as number[])],
    ['values[0]', (es: CmaEs) => es.tell([null, 1, 2, 3] as unknown as number[])],
  ])('of tell that do not fit are refused: %s', (field, act) => {
    const es = CmaEs.create(module, start(1, { popsize: 4 }));
    expect(refusal(() => es.tell([1, 2, 3, 4])).field).toBe('values');
    es.ask();
    expect(refusal(() => act(es)).field).toBe(field);
  });
});
