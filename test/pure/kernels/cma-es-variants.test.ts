import { describe, expect, it } from 'vitest';
import { CmaEs, RestartedCmaEs, warmStart } from '../../../kernels/cma-es/index.ts';
import type { CmaOptions } from '../../../kernels/cma-es/index.ts';
import { Rng } from '../../../kernels/rng/index.ts';
import { advance, candidates, ellipsoid, interrupted, median, module, optimise } from './cma-es-searches.ts';
import { rastrigin, refusal, running, seeds, sphere, start } from './cma-es-searches.ts';

const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.sqrt(Array.from(a).reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));

const needed = (options: Partial<CmaOptions>, objective = sphere, count = 15): number =>
  median(seeds(count).map((seed) => optimise(start(8, { ftarget: 1e-9, seed, ...options }), objective).evaluations));

describe('mirrored sampling', () => {
  it('draws pairs on both sides of the mean', () => {
    const es = CmaEs.create(module, start(4, { CMA_mirrors: 3, CMA_mirrormethod: 0, popsize: 9 }));
    const x = candidates(es);
    for (const [one, other] of [
      [3, 4],
      [5, 6],
      [7, 8],
    ] as const) {
      x[one]!.forEach((value, i) => expect((value + x[other]![i]!) / 2).toBeCloseTo(1, 12));
    }
    expect((x[1]![0]! + x[2]![0]!) / 2).not.toBeCloseTo(1, 3);
  });

  it('draws images of the worst of the last generation, at a length of their own', () => {
    const es = CmaEs.create(module, start(3, { CMA_mirrors: 2, popsize: 8 }));
    const first = candidates(es);
    es.tell([1, 2, 3, 9, 5, 8, 6, 7]);
    const [image, other] = candidates(es);
    for (const [now, then] of [
      [image!, first[3]!],
      [other!, first[5]!],
    ] as const) {
      const away = Array.from(now, (value, i) => value - es.mean[i]!);
      const along = Array.from(then, (value) => value - 1);
      const cosine = away.reduce((sum, value, i) => sum + value * along[i]!, 0);
      expect(cosine / (distance(now, es.mean) * distance(then, [1, 1, 1]))).toBeCloseTo(-1, 10);
    }
  });

  it.each([{ CMA_mirrors: 3, CMA_mirrormethod: 0 }, { CMA_mirrors: true }] as const)(
    'needs fewer evaluations on the sphere than independent candidates do: %o',
    (options) => {
      expect(needed(options)).toBeLessThan(needed({ CMA_mirrors: 0 }));
    },
  );

  it('comes by itself from three candidates on, but not where learning rates adapt', () => {
    const mean = (options: Partial<CmaOptions>): number[] => [
      ...optimise(start(4, { maxiter: 20, ...options }), sphere).mean,
    ];
    const mirrors = (options: Partial<CmaOptions>): boolean =>
      mean(options).join() !== mean({ ...options, CMA_mirrors: 0 }).join();
    expect([2, 3, 6, 12].map((popsize) => mirrors({ popsize }))).toEqual([false, true, true, true]);
    expect(mirrors({ lr_adapt: true })).toBe(false);
  });

  it.each([
    ['CMA_mirrors', { CMA_mirrors: 4 }],
    ['CMA_mirrors', { CMA_mirrors: -1 }],
    ['CMA_mirrormethod', { CMA_mirrormethod: 1 as unknown as 0 }],
    ['CMA_mirrors', { CMA_mirrors: 3, CMA_mirrormethod: 0, CMA_elitist: 'initial' }],
  ] as const)('is refused by name where it does not fit: %s', (field, fault) => {
    expect(refusal(() => CmaEs.create(module, start(2, { popsize: 6, ...fault }))).field).toBe(field);
  });
});

describe('elitism', () => {
  it('lets the best point so far lead every selection', () => {
    const es = CmaEs.create(module, start(3, { CMA_elitist: true }));
    const [first] = candidates(es);
    es.tell(Array.from({ length: es.popsize }, (_, k) => (k === 0 ? -1 : k)));
    const before = distance(es.mean, first!);
    for (let g = 0; g < 25; g++) {
      es.ask();
      es.tell(new Float64Array(es.popsize).fill(5).map((value, k) => value + k));
    }
    expect(distance(es.mean, first!)).toBeLessThan(before / 10);
  });

  it('evaluates x0 first, and keeps it while nothing is better', () => {
    const es = CmaEs.create(module, start(3, { CMA_elitist: 'initial' }));
    expect([...candidates(es)[0]!]).toEqual([1, 1, 1]);
    for (let g = 0; g < 30; g++) es.tell(candidates(es).map((x) => (distance(x, [1, 1, 1]) === 0 ? 0 : 1 + x[0]!)));
    expect(es.best).toMatchObject({ evaluations: 1, fun: 0 });
    expect(distance(es.mean, [1, 1, 1])).toBeLessThan(0.3);
    expect(candidates(es)[0]).not.toEqual(Float64Array.of(1, 1, 1));
  });

  it('needs fewer evaluations on a smooth function', () => {
    expect(needed({ CMA_elitist: true }, ellipsoid)).toBeLessThan(1.05 * needed({}, ellipsoid));
    expect(needed({ CMA_elitist: true })).toBeLessThan(needed({}));
  });

  it.each([
    ['CMA_elitist', { CMA_elitist: 'always' as unknown as boolean }],
    ['CMA_elitist', { CMA_elitist: true, lr_adapt: true }],
  ])('is refused by name where it does not fit: %s', (field, fault) => {
    expect(refusal(() => CmaEs.create(module, start(2, fault))).field).toBe(field);
  });
});

describe('injection', () => {
  it('asks for the points themselves, in order, as many as there is room for', () => {
    const points = Array.from({ length: 10 }, (_, k) => Float64Array.of(k / 3, -k / 7));
    const es = CmaEs.create(module, start(2, { popsize: 6, CMA_mirrors: 0, bounds: { lower: -5, upper: 3 } }));
    es.inject(points);
    expect(candidates(es)).toEqual(points.slice(0, 6));
    advance(es, sphere, 1);
    expect(candidates(es).slice(0, 4)).toEqual(points.slice(6));
    expect(es.injections).toEqual([]);
  });

  it('lets a good point pull the search, but only by a usual length', () => {
    const far = Float64Array.of(1000, 1000, 1000);
    const es = CmaEs.create(module, start(3));
    es.inject([far]);
    advance(es, (x) => distance(x, far), 1);
    expect(es.best).toMatchObject({ x: far, fun: 0 });
    expect(distance(es.mean, [1, 1, 1])).toBeLessThan(0.5 * (Math.sqrt(3) + 6 / 5));
    expect(es.mean[0]!).toBeGreaterThan(1);
    expect(es.sigma).toBeLessThan(0.5 * Math.E);
  });

  it('shortens a search that is told of the optimum', () => {
    const optimum = new Float64Array(8).fill(0.01);
    const told = CmaEs.create(module, start(8, { ftarget: 1e-2 }));
    told.inject([optimum]);
    advance(told, sphere, Infinity);
    expect(told.evaluations).toBeLessThan(optimise(start(8, { ftarget: 1e-2 }), sphere).evaluations);
  });

  it('rounds whole numbers and puts fixed variables in', () => {
    const es = CmaEs.create(module, start(3, { integer_variables: [0], fixed_variables: { 2: 7 } }));
    es.inject([[1.6, 0.25, 0]]);
    expect(candidates(es)[0]).toEqual(Float64Array.of(2, 0.25, 7));
  });

  it('waits for the next run when one ends', () => {
    const es = RestartedCmaEs.create(module, start(2, { popsize: 4, maxiter: 1 }), {
      restarts: 'ipop',
      maxEvaluations: 50,
    });
    es.inject(Array.from({ length: 6 }, (_, k) => [k, k]));
    advance(es, sphere, 1);
    expect(es.restartCount).toBe(1);
    expect(candidates(es).slice(0, 2)).toEqual([Float64Array.of(4, 4), Float64Array.of(5, 5)]);
  });

  it.each([
    ['solutions[1]', [[0, 0], [1]]],
    ['solutions[0][1]', [[0, NaN]]],
    ['solutions[0][0]', [[9, 0]]],
    ['solutions', 'x' as unknown as number[][]],
  ])('refuses points by name: %s', (field, points) => {
    const es = CmaEs.create(module, start(2, { bounds: { lower: -2, upper: 2 } }));
    expect(refusal(() => es.inject(points)).field).toBe(field);
    const paired = CmaEs.create(module, start(2, { popsize: 6, CMA_mirrors: 3, CMA_mirrormethod: 0 }));
    expect(refusal(() => paired.inject([[0, 0]])).field).toBe('solutions');
  });
});

describe('adaptive learning rates', () => {
  const endless = { tolfun: 0, tolfunhist: 0, tolstagnation: 0, tolfacupx: 1e30, tolxstagnation: false } as const;

  it('solve Rastrigin’s function with the default population, which plain CMA-ES does not', () => {
    const options = { x0: new Array<number>(20).fill(3), sigma0: 2, ftarget: 1e-8, maxiter: 1e5, tolstagnation: 0 };
    const stop = (lr_adapt: boolean): object => optimise(start(20, { ...options, lr_adapt }), rastrigin).stop();
    expect(stop(true)).toEqual({ ftarget: 1e-8 });
    expect(stop(false)).not.toHaveProperty('ftarget');
  });

  it('bring the mean closer to the optimum of a noisy function', () => {
    const quality = (lr_adapt: boolean): number =>
      median(
        seeds(5).map((seed) => {
          const rng = new Rng(seed);
          const options = {
            ...endless,
            x0: new Array<number>(5).fill(3),
            sigma0: 2,
            maxfevals: 20_000,
            seed,
            lr_adapt,
          };
          return sphere(optimise(start(5, options), (x) => sphere(x) + rng.normal()).mean);
        }),
      );
    expect(quality(true)).toBeLessThan(quality(false) / 10);
  });

  it('cost a few times the evaluations where there is no noise', () => {
    const factor = needed({ lr_adapt: true }) / needed({});
    expect(factor).toBeGreaterThan(1.5);
    expect(factor).toBeLessThan(4.5);
  });

  it.each([true, 5])('are refused with a diagonal matrix (%s)', (CMA_diagonal) => {
    expect(refusal(() => CmaEs.create(module, start(2, { lr_adapt: true, CMA_diagonal }))).field).toBe('lr_adapt');
  });
});

describe('warm start', () => {
  it('goes on from the distribution of an earlier run', () => {
    const cold = optimise(start(8, { ftarget: 1e-3 }), ellipsoid);
    const options = start(8, { ...cold.distribution(), ftarget: 1e-9 });
    const warm = CmaEs.create(module, options);
    expect([...warm.stds].map((std, i) => std / cold.stds[i]!).every((ratio) => Math.abs(ratio - 1) < 1e-9)).toBe(true);
    advance(warm, ellipsoid, Infinity);
    const whole = optimise(start(8, { ftarget: 1e-9 }), ellipsoid);
    expect(warm.evaluations).toBeLessThan(0.7 * whole.evaluations);
  });

  it('has the scales and the fixed variables of the run in it', () => {
    const options = start(3, { CMA_stds: [1, 10, 100], fixed_variables: { 1: 5 } });
    const run = advance(CmaEs.create(module, options), ellipsoid, 9);
    const again = CmaEs.create(module, { ...options, ...run.distribution() });
    expect(again.mean).toEqual(run.mean);
    again.stds.forEach((std, i) => expect(std).toBeCloseTo(run.stds[i]!, 9));
    const separable = advance(CmaEs.create(module, { ...options, CMA_diagonal: true }), ellipsoid, 9);
    const next = CmaEs.create(module, { ...options, CMA_diagonal: true, ...separable.distribution() });
    next.stds.forEach((std, i) => expect(std).toBeCloseTo(separable.stds[i]!, 9));
  });

  it('takes the best solutions of a similar problem, as equations 9 and 10 say', () => {
    const solutions = [
      [1, 2],
      [3, 0],
      [9, 9],
      [8, 8],
    ];
    const { x0, sigma0, cov } = warmStart(module, solutions, [1, 2, NaN, 7], {
      gamma: 0.5,
      alpha: 0.2,
      ranges: [1, 2],
    });
    expect(x0).toEqual([2, 1]);
    const [[a, b], [c, d]] = cov!.map((row) => row.map((value) => value * sigma0 ** 2)) as [
      [number, number],
      [number, number],
    ];
    expect([a, b, c, d].map((value) => Math.round(1e9 * value) / 1e9)).toEqual([1.04, -1, -1, 1.16]);
    expect(cov![0]![0]! * cov![1]![1]! - cov![0]![1]! * cov![1]![0]!).toBeCloseTo(1, 9);
  });

  it('shortens the search on a problem whose optimum is near', () => {
    const rng = new Rng(3);
    const near = (x: ArrayLike<number>): number => ellipsoid(Float64Array.from(x, (value) => value - 0.52));
    const points = Array.from({ length: 400 }, () => Array.from({ length: 4 }, () => rng.uniform()));
    const begin = warmStart(
      module,
      points,
      points.map((x) => ellipsoid(Float64Array.from(x, (value) => value - 0.5))),
    );
    const cold = { x0: [0.1, 0.9, 0.2, 0.8], sigma0: 0.3 };
    const cost = (options: Partial<CmaOptions>): number =>
      median(seeds(9).map((seed) => optimise(start(4, { ...options, seed, ftarget: 1e-2 }), near).evaluations));
    expect(cost(begin)).toBeLessThan(cost(cold));
  });

  it('is for the first run of a sequence', () => {
    const options = start(2, {
      cov: [
        [1, 0.9],
        [0.9, 1],
      ],
      popsize: 4,
      maxiter: 1,
    });
    const es = RestartedCmaEs.create(module, options, { restarts: 'ipop', maxEvaluations: 100 });
    expect(es.distribution().cov).toEqual([
      [1, 0.9],
      [0.9, 1],
    ]);
    advance(es, sphere, 1);
    expect(es.distribution().cov).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  it.each([
    ['cov', { cov: [[1]] }],
    ['cov[1]', { cov: [[1, 0], [0]] }],
    [
      'cov[0][1]',
      {
        cov: [
          [1, 0.5],
          [0.4, 1],
        ],
      },
    ],
    [
      'cov[1][1]',
      {
        cov: [
          [1, 0],
          [0, 0],
        ],
      },
    ],
    [
      'cov',
      {
        cov: [
          [1, 2],
          [2, 1],
        ],
      },
    ],
    [
      'cov',
      {
        cov: [
          [1, 0],
          [0, 1],
        ],
        CMA_diagonal: true,
      },
    ],
  ])('is refused by name where it does not fit: %s', (field, fault) => {
    expect(refusal(() => CmaEs.create(module, start(2, fault))).field).toBe(field);
  });

  it.each([
    ['solutions', [], [], {}],
    ['values', [[1, 2]], [1, 2], {}],
    ['solutions[1]', [[1, 2], [1]], [1, 2], {}],
    ['gamma', [[1, 2]], [1], { gamma: 0 }],
    ['alpha', [[1, 2]], [1], { alpha: -1 }],
    ['ranges', [[1, 2]], [1], { ranges: [1] }],
  ])('from solutions is refused by name where they do not fit: %s', (field, points, values, options) => {
    expect(refusal(() => warmStart(module, points, values, options)).field).toBe(field);
  });
});

describe('snapshots of variants', () => {
  const inject = (es: CmaEs, generation: number): void => {
    if (generation % 4 === 1)
      es.inject([
        [0, 0, 0, 0, 0],
        [0.1, 0.2, 0.3, 0.4, generation],
      ]);
  };
  it.each([
    ['pairs', { CMA_mirrors: 3, CMA_mirrormethod: 0 }],
    ['images', { CMA_mirrors: 2 }],
    ['an elite', { CMA_elitist: true }],
    ['a first elite', { CMA_elitist: 'initial', CMA_mirrors: 1 }],
    ['adaptive rates', { lr_adapt: true }],
    ['a first C', { cov: [1, 2, 3, 4, 5].map((a, i) => [1, 2, 3, 4, 5].map((_, j) => (i === j ? a : 0.1))) }],
    ['variances alone', { CMA_diagonal: 12, CMA_elitist: true, CMA_mirrors: 2 }],
    ['whole numbers and an elite', { integer_variables: [1, 4], CMA_elitist: true, CMA_mirrors: 2 }],
  ] as [string, Partial<CmaOptions>][])('continue bit for bit with %s', (_, options) => {
    const calm = interrupted(start(5, options), ellipsoid, 24);
    expect(calm.pieces).toEqual(calm.whole);
    const disturbed = interrupted(start(5, options), ellipsoid, 24, inject);
    expect(disturbed.pieces).toEqual(disturbed.whole);
    expect(disturbed.whole).not.toEqual(calm.whole);
  });

  it('carry injected points through restarts', () => {
    const restart = { restarts: 'bipop', maxEvaluations: 400 } as const;
    const create = (): RestartedCmaEs => RestartedCmaEs.create(module, start(2, { maxiter: 4 }), restart);
    const whole = create();
    let pieces = create();
    for (let g = 0; running(whole); g++) {
      for (const es of [whole, pieces])
        es.inject([
          [g / 9, 1],
          [2, g / 5],
        ]);
      advance(whole, sphere, 1);
      pieces = RestartedCmaEs.resume(module, pieces.snapshot());
      pieces.ask();
      pieces = advance(RestartedCmaEs.resume(module, pieces.snapshot()), sphere, 1);
    }
    expect(pieces.snapshot()).toEqual(whole.snapshot());
  });
});

describe('diagnostics', () => {
  it('show σ, the axes in order, their ratio, mean, best point and spreads', () => {
    const es = advance(CmaEs.create(module, start(4)), ellipsoid, 60);
    const { axes, axisRatio, sigma, mean, stds, x, fun, iterations, evaluations } = es.diagnostics();
    expect([...axes]).toEqual([...axes].sort((a, b) => a - b));
    expect(axisRatio).toBe(axes[3]! / axes[0]!);
    expect(axisRatio).toBeGreaterThan(10);
    expect({ sigma, mean, stds, iterations, evaluations }).toEqual({
      ...{ sigma: es.sigma, mean: es.mean, stds: es.stds },
      ...{ iterations: 60, evaluations: 60 * es.popsize },
    });
    expect({ x, fun }).toEqual({ x: es.best.x, fun: es.best.fun });
  });
});
