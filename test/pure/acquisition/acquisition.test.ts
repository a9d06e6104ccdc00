import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  acquisition,
  isAmong,
  LOG_EI_TOLERANCE,
  logExpectedImprovement,
  scalarizer,
  shunning,
  type AcquisitionKind,
} from '../../../kernels/acquisition/index.ts';
import { instantiate, math, type MathExports } from '../../../kernels/index.ts';
import { kernelModule } from '../kernels/load.ts';

let m: MathExports;
beforeAll(async () => {
  m = math(instantiate(await kernelModule()));
});

/** z and log(φ(z) + z·Φ(z)), computed with mpmath 1.3 to 60 and more digits. */
const logImprovements: [number, number][] = [
  [-1000000, -500000000028.55],
  [-10000, -50000019.33961931],
  [-100, -5010.12957880025],
  [-38.5, -749.3472742078229],
  [-10, -55.55312203612235],
  [-5, -16.74430116266099],
  [-3.0001, -7.870039297756779],
  [-3, -7.869686059603029],
  [-2.9999, -7.869332830253237],
  [-1, -2.4851210257126413],
  [-0.5, -1.6205162643873199],
  [0, -0.9189385332046728],
  [0.5, -0.3598276837450638],
  [1, 0.08002621884930694],
  [5, 1.6094379231264313],
  [100, 4.605170185988092],
  [1000000, 13.815510557964274],
];

describe('logExpectedImprovement', () => {
  it.each(logImprovements)('is right at z = %d', (z, expected) => {
    const error = Math.abs(logExpectedImprovement(m, z) - expected) / Math.max(1, Math.abs(expected));
    expect(error).toBeLessThan(LOG_EI_TOLERANCE);
  });

  it('grows with z, also where expected improvement itself has underflowed', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e5, max: 1e3, noNaN: true }), (z) => {
        expect(logExpectedImprovement(m, z + Math.abs(z) * 1e-3 + 1e-3)).toBeGreaterThan(logExpectedImprovement(m, z));
      }),
    );
  });
});

describe('acquisition', () => {
  const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const spread = fc.double({ min: 0, max: 1e6, noNaN: true });
  const kinds: AcquisitionKind[] = ['ei', 'ucb', 'pi', 'mean', 'thompson'];

  it('is the textbook formula', () => {
    const options = { goal: 'max', best: 2, xi: 0.25, kappa: 3 } as const;
    const z = (3 - 2 - 0.25) / 0.5;
    const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
    const distribution = m.normalCdf(z);
    expect(acquisition(m, { kind: 'ucb', ...options })(3, 0.5)).toBe(4.5);
    expect(acquisition(m, { kind: 'mean', ...options })(3, 0.5)).toBe(3);
    expect(acquisition(m, { kind: 'pi', ...options })(3, 0.5)).toBeCloseTo(Math.log(distribution), 12);
    expect(acquisition(m, { kind: 'ei', ...options })(3, 0.5)).toBeCloseTo(
      Math.log(0.5 * (density + z * distribution)),
      12,
    );
  });

  it.each(kinds)('%s: minimising f is maximising −f', (kind) => {
    fc.assert(
      fc.property(finite, spread, finite, (mean, std, best) => {
        const max = acquisition(m, { kind, goal: 'max', best });
        const min = acquisition(m, { kind, goal: 'min', best: -best });
        expect(min(-mean, std)).toBe(max(mean, std));
      }),
    );
  });

  it.each(kinds)('%s: a better mean never scores worse, and no score is NaN, even without uncertainty', (kind) => {
    fc.assert(
      fc.property(finite, finite, fc.oneof(spread, fc.constant(0)), finite, (a, b, std, best) => {
        const score = acquisition(m, { kind, goal: 'max', best });
        const [worse, better] = [score(Math.min(a, b), std), score(Math.max(a, b), std)];
        expect(worse).not.toBeNaN();
        expect(better).toBeGreaterThanOrEqual(worse - 1e-12 * Math.abs(worse));
      }),
    );
  });

  it.each(['ei', 'pi'] as const)('%s asks for the best value so far', (kind) => {
    expect(() => acquisition(m, { kind, goal: 'max' })).toThrow('best: expected a finite number');
  });

  it('names an option that does not fit', () => {
    expect(() => acquisition(m, { kind: 'ucb', goal: 'max', kappa: -1 })).toThrow('acquisition.kappa: expected');
    expect(() => acquisition(m, { kind: 'best' as 'ucb', goal: 'max' })).toThrow('acquisition.kind: expected one of');
  });
});

describe('shunning', () => {
  it('leaves no uncertainty at a tried point, nearly all far away, and 1 − k² of the variance between', () => {
    const factor = shunning(m, [[0.5, 0.5]], 0.1);
    expect(factor([0.5, 0.5])).toBe(0);
    expect(factor([0.5, 0.6])).toBeCloseTo(Math.sqrt(1 - Math.exp(-1)), 12);
    expect(factor([0.5, 1.5])).toBe(1);
  });

  it('multiplies over points, in any order', () => {
    const points = [
      [0.1, 0.2],
      [0.15, 0.25],
    ];
    const both = shunning(m, points, 0.2)([0.2, 0.2]);
    const each = points.map((point) => shunning(m, [point], 0.2)([0.2, 0.2]));
    expect(both).toBeCloseTo((each[0] ?? 0) * (each[1] ?? 0), 12);
  });
});

describe('isAmong', () => {
  it('knows a point again, and only that', () => {
    expect(isAmong([[0.5, 0.5]], [0.5, 0.5005])).toBe(true);
    expect(isAmong([[0.5, 0.5]], [0.5, 0.502])).toBe(false);
    expect(isAmong([], [0.5])).toBe(false);
  });
});

describe('scalarizer', () => {
  const goals = ['max', 'min'] as const;
  const scalarize = scalarizer({ goals, weights: [0.25, 0.75], ideal: [10, 0], nadir: [0, 4] });

  it('is 0 at the ideal point and larger the worse an objective gets', () => {
    expect(scalarize([10, 0])).toBe(0);
    expect(scalarize([5, 1])).toBeCloseTo(0.1875 + 0.05 * (0.125 + 0.1875), 12);
  });

  it('never prefers a dominated point', () => {
    const value = fc.double({ min: -10, max: 10, noNaN: true });
    const gain = fc.double({ min: 0, max: 5, noNaN: true });
    fc.assert(
      fc.property(value, value, gain, gain, (a, b, better, lower) => {
        expect(scalarize([a + better, b - lower])).toBeLessThanOrEqual(scalarize([a, b]));
      }),
    );
  });

  it('stays defined when all values of an objective are equal', () => {
    const flat = scalarizer({ goals, weights: [0.5, 0.5], ideal: [1, 2], nadir: [1, 2] });
    expect(flat([2, 2])).toBeLessThan(flat([1, 2]));
    expect(flat([1, 1])).toBeLessThan(flat([1, 2]));
  });

  it('names a list of the wrong length', () => {
    expect(() => scalarizer({ goals, weights: [1], ideal: [0, 0], nadir: [1, 1] })).toThrow('scalarization.weights');
  });
});
