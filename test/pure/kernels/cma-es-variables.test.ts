import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CmaEs, RestartedCmaEs } from '../../../kernels/cma-es/index.ts';
import { correctMargin } from '../../../kernels/cma-es/integers.ts';
import type { CmaOptions } from '../../../kernels/cma-es/index.ts';
import { instantiate, math } from '../../../kernels/index.ts';
import { marginOfNormal } from '../../../kernels/cma-es/reference-margin.ts';
import { advance, candidates, ellipsoid, interrupted, median, module, optimise } from './cma-es-searches.ts';
import { refusal, running, seeds, sphere, start } from './cma-es-searches.ts';

describe('bounds by penalty', () => {
  const penalty = (options: Partial<CmaOptions>): Partial<CmaOptions> => ({
    BoundaryHandler: 'BoundPenalty',
    ...options,
  });

  it('let optima on the bound, in a corner and inside be found', () => {
    const bounds = { lower: [1, -2, null, -5], upper: [null, -1, 0, 5] };
    const es = optimise(start(4, penalty({ x0: [2, -1.5, -1, 3], bounds, tolfun: 1e-10 })), sphere);
    [1, -1, 0, 0].forEach((x, i) => {
      expect(es.best.x[i]).toBeCloseTo(x, 4);
    });
    expect(es.best.fun).toBeCloseTo(2, 6);
  });

  it('never ask for a point outside, whatever the objective prefers', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 100, noNaN: true }), fc.integer({ min: 0, max: 999 }), (sigma0, seed) => {
        const bounds = { lower: [-1, null, 0], upper: [1, 0, null] };
        const es = CmaEs.create(module, start(3, penalty({ x0: [0, -1, 1], bounds, sigma0, seed })));
        for (let g = 0; g < 20; g++) {
          for (const x of candidates(es)) {
            expect([x[0]! >= -1, x[0]! <= 1, x[1]! <= 0, x[2]! >= 0]).toEqual([true, true, true, true]);
          }
          advance(es, (x) => x[2]! - x[0]! - x[1]!, 1);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('keep the mean from drifting away behind a bound', () => {
    const es = CmaEs.create(module, start(2, penalty({ bounds: { lower: 0.5, upper: null }, tolfun: 0, tolx: 0 })));
    advance(es, (x) => x[0]! + x[1]!, 60);
    // The objective is linear, so that only the penalty can hold the search at the bound: its spread shrinks.
    expect(Math.max(...es.stds)).toBeLessThan(1e-2);
    expect(es.best.x[0]).toBe(0.5);
  });

  it('value the best point without its penalty', () => {
    const es = CmaEs.create(module, start(1, penalty({ bounds: { lower: 1, upper: 3 }, tolfun: 0 })));
    advance(es, sphere, 40);
    expect(es.best).toMatchObject({ x: Float64Array.of(1), fun: 1 });
  });

  it('put up with values that are NaN or infinite from the first generation on', () => {
    const es = CmaEs.create(module, start(2, penalty({ bounds: { lower: 0, upper: 2 } })));
    advance(es, () => NaN, 2);
    advance(es, () => Infinity, 1);
    advance(es, sphere, 80);
    expect(es.best.fun).toBeLessThan(1e-3);
  });

  it('continue bit for bit wherever a run was interrupted', () => {
    const options = start(3, penalty({ bounds: { lower: [0.9, -2, 0.2], upper: 2 } }));
    const { whole, pieces } = interrupted(options, ellipsoid, 30);
    expect(pieces).toEqual(whole);
  });

  it('are refused under an unknown name', () => {
    const fault = { BoundaryHandler: 'BoundDamper' } as unknown as Partial<CmaOptions>;
    expect(refusal(() => CmaEs.create(module, start(2, fault))).field).toBe('BoundaryHandler');
  });
});

describe('fixed variables', () => {
  const fixed = { fixed_variables: { 1: 2.5, 3: -1 } };

  it('keep their values in all that is reported', () => {
    const es = advance(CmaEs.create(module, start(5, fixed)), ellipsoid, 5);
    for (const x of [...candidates(es), es.mean, es.best.x, es.diagnostics().mean]) {
      expect(x).toHaveLength(5);
      expect([x[1], x[3]]).toEqual([2.5, -1]);
    }
    expect([...es.stds].map((std) => std > 0)).toEqual([true, false, true, false, true]);
  });

  it('make the search the one in the free variables', () => {
    const objective = (x: Float64Array): number => ellipsoid(Float64Array.of(x[0]!, x[2]!, x[4]!));
    const small = advance(CmaEs.create(module, start(3)), ellipsoid, 30);
    const es = advance(CmaEs.create(module, start(5, fixed)), objective, 30);
    expect([es.best.x[0], es.best.x[2], es.best.x[4]]).toEqual([...small.best.x]);
    expect([es.popsize, es.sigma, es.evaluations]).toEqual([small.popsize, small.sigma, small.evaluations]);
  });

  it('go with bounds, scales and limits by variable', () => {
    const options: Partial<CmaOptions> = {
      ...{ x0: [1, 99, 2], fixed_variables: { '1': 7 }, bounds: { lower: [0, 5, null], upper: [3, 9, 2.5] } },
      ...{ CMA_stds: [1, 0.1, 10], minstd: [0.1, 3, 0.2], maxstd: [5, 6, 0.7] },
    };
    const es = CmaEs.create(module, start(3, options));
    expect([...es.stds]).toEqual([0.5, 0, 0.7]);
    expect([...es.mean]).toEqual([1, 7, 2]);
  });

  it('stay fixed in restarts anywhere', () => {
    const options = start(3, { fixed_variables: { 0: 4 }, bounds: { lower: -5, upper: 5 }, maxiter: 3 });
    const restart = { restarts: 'ipop', maxEvaluations: 500, restartFrom: 'bounds' } as const;
    const es = RestartedCmaEs.create(module, options, restart);
    while (running(es)) {
      for (const x of candidates(es)) expect(x[0]).toBe(4);
      es.tell(candidates(es).map(sphere));
    }
    expect(es.restartCount).toBeGreaterThan(1);
    expect(es.best.x[0]).toBe(4);
  });

  it('continue bit for bit wherever a run was interrupted', () => {
    const { whole, pieces } = interrupted(start(5, fixed), ellipsoid, 20);
    expect(pieces).toEqual(whole);
  });

  it.each([
    ['fixed_variables[5]', { 5: 1 }],
    ['fixed_variables[-1]', { '-1': 1 }],
    ['fixed_variables[x]', { x: 1 }],
    ['fixed_variables[0]', { 0: NaN }],
    ['fixed_variables[1]', { 1: 99 }],
    ['fixed_variables', { 0: 1, 1: 1 }],
    ['fixed_variables', [1, 2]],
  ])('are refused by name when they do not fit: %s', (field, fixed_variables) => {
    const fault = { fixed_variables, bounds: { lower: -9, upper: 9 } } as Partial<CmaOptions>;
    expect(refusal(() => CmaEs.create(module, start(2, fault))).field).toBe(field);
  });
});

describe('whole-numbered variables', () => {
  const functions = math(instantiate(module));
  const cdf = (x: number): number => functions.normalCdf(x);
  const half = { integer_variables: [5, 6, 7, 8, 9], x0: [3, 2, 4, 3, 1, 3, -2, 4, 3.4, 1], sigma0: 2, ftarget: 1e-10 };

  it('are asked for as whole numbers within the bounds', () => {
    const bounds = { lower: [null, 0, -2.5], upper: [null, 1, 3.5] };
    const es = CmaEs.create(module, start(3, { x0: [0.5, 0.5, 1], bounds, integer_variables: [1, 2], sigma0: 4 }));
    const seen = [new Set<number>(), new Set<number>()];
    for (let g = 0; g < 12; g++) {
      for (const x of candidates(es)) {
        expect(Number.isInteger(x[0])).toBe(false);
        seen[0]!.add(x[1]!);
        seen[1]!.add(x[2]!);
      }
      advance(es, (x) => x[0]! ** 2, 1);
    }
    expect([...seen[0]!].sort()).toEqual([0, 1]);
    expect([...seen[1]!].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3]);
    expect(Number.isInteger(es.best.x[1])).toBe(true);
  });

  it.each([
    { name: 'sphere', objective: sphere },
    { name: 'ellipsoid', objective: ellipsoid },
    { name: 'ellipsoid, the whole numbers flat', objective: (x: Float64Array) => ellipsoid(x.slice().reverse()) },
  ])('are found together with the others on the $name, by every seed', ({ objective }) => {
    for (const seed of seeds(7))
      expect(optimise(start(10, { ...half, seed }), objective).stop()).toEqual({ ftarget: 1e-10 });
  });

  it('are lost without the margin, where rounding alone freezes them', () => {
    const flat = (x: Float64Array): number => ellipsoid(x.map((v, i) => (i >= 5 ? Math.round(v) : v)).reverse());
    const solved = seeds(7).filter(
      (seed) => 'ftarget' in optimise(start(10, { ...half, integer_variables: [], seed }), flat).stop(),
    );
    expect(solved.length).toBeLessThan(4);
  });

  it('are found when they are all there is, and yes or no', () => {
    const bits = { x0: new Array<number>(12).fill(0), sigma0: 1, bounds: { lower: 0, upper: 1 }, ftarget: 0 };
    const objective = (x: Float64Array): number => x.reduce((sum, bit, i) => sum + Math.abs(bit - (i % 2)), 0);
    const integer_variables = bits.x0.map((_, i) => i);
    const needed = seeds(7).map((seed) => {
      const es = optimise(start(12, { ...bits, integer_variables, seed }), objective);
      expect(es.stop()).toEqual({ ftarget: 0 });
      return es.evaluations;
    });
    expect(median(needed)).toBeLessThan(1500);
  });

  it('keep the chance of the next numbers at 1/(d·λ)', () => {
    const patient = { tolflatfitness: 1e9, tolfun: 0, tolfunhist: 0, tolx: 0, tolxstagnation: false } as const;
    const es = CmaEs.create(module, start(2, { ...patient, integer_variables: [1], popsize: 10 }));
    advance(es, sphere, 40);
    let jumps = 0;
    for (let g = 0; g < 100; g++) {
      jumps += candidates(es).filter((x) => x[1] !== 0).length;
      advance(es, sphere, 1);
    }
    expect(es.iterations).toBe(140);
    // One candidate in 20 on average; 50 of 1,000 with a standard deviation of 7.
    expect(jumps).toBeGreaterThan(25);
    expect(jumps).toBeLessThan(120);
  });

  it('move mean and spread as the paper says', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -4, max: 4, noNaN: true }),
        fc.double({ min: 1e-6, max: 3, noNaN: true }),
        fc.double({ min: 1e-4, max: 0.1, noNaN: true }),
        fc.constantFrom([-Infinity, Infinity], [0, 1], [-2, Infinity], [-3, 3]),
        (mean, std, alpha, [low, high]) => {
          const actual = correctMargin({ mean, std }, low, high, alpha, cdf);
          const expected = marginOfNormal(mean, std, low, high, alpha, cdf);
          expect(actual.mean).toBeCloseTo(expected.mean, 9);
          expect(actual.factor * std).toBeCloseTo(expected.std, 9);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('go with fixed variables, which are left out', () => {
    const options = start(4, { fixed_variables: { 0: 2, 2: 0.5 }, integer_variables: [0, 3], x0: [0, 1, 0, 4.3] });
    const es = advance(CmaEs.create(module, options), sphere, 20);
    for (const x of candidates(es)) expect([x[0], x[2], Number.isInteger(x[3])]).toEqual([2, 0.5, true]);
  });

  it('continue bit for bit wherever a run was interrupted', () => {
    const { whole, pieces } = interrupted(start(10, half), ellipsoid, 40);
    expect(pieces).toEqual(whole);
    const adaptive = interrupted(start(10, { ...half, lr_adapt: true }), ellipsoid, 20);
    expect(adaptive.pieces).toEqual(adaptive.whole);
  });

  it.each([
    ['integer_variables[0]', { integer_variables: [2] }],
    ['integer_variables[1]', { integer_variables: [1, 1] }],
    ['integer_variables', { integer_variables: 1 as unknown as number[] }],
    ['integer_variables', { integer_variables: [0], bounds: { lower: [0.6, null], upper: [1.4, null] } }],
  ])('are refused by name when they do not fit: %s', (field, fault) => {
    expect(refusal(() => CmaEs.create(module, start(2, fault))).field).toBe(field);
  });
});
