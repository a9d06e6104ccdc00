import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelInputError } from '../../../kernels/index.ts';
import {
  HYPERVOLUME_TOLERANCE,
  contributions,
  defaultReference,
  front,
  hypervolume,
  paretoSummary,
  ranks,
} from '../../../kernels/pareto/index.ts';
import type { Direction } from '../../../kernels/pareto/index.ts';
import { referenceHypervolume, referenceRanks } from '../../../kernels/pareto/reference.ts';

interface GoldenCase {
  m: number;
  kind: string;
  n: number;
  ref: number[];
  points: number[][];
  rank: number[];
  hypervolume: number;
  front_hv_contributions: number[] | null;
}

const file = new URL('../golden/pareto/pareto.json', import.meta.url);
const golden = JSON.parse(await readFile(file, 'utf8')) as { cases: GoldenCase[] };

function expectNear(actual: number, expected: number, scale = Math.abs(expected)): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(HYPERVOLUME_TOLERANCE * Math.max(scale, 1e-300));
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

/** Points on a coarse grid, so that ties and duplicates are common. */
const pointSets = fc
  .integer({ min: 1, max: 5 })
  .chain((m) => fc.array(fc.array(fc.integer({ min: 0, max: 6 }), { minLength: m, maxLength: m }), { maxLength: 14 }));

describe('against moocore', () => {
  it.each(golden.cases)('gives ranks and hypervolume of $n points in $m objectives, $kind', (example) => {
    const { points, ref } = example;
    expect(ranks(points)).toEqual(example.rank);
    expect(front(points)).toEqual(example.rank.flatMap((rank, row) => (rank === 0 ? [row] : [])));
    expectNear(hypervolume(points, ref), example.hypervolume);
  });

  it.each(golden.cases.filter((example) => example.front_hv_contributions !== null))(
    'gives the contributions of $n points in $m objectives, $kind',
    (example) => {
      const all = contributions(example.points, example.ref);
      const members = front(example.points);
      members.forEach((row, place) => {
        expectNear(all[row]!, example.front_hv_contributions![place]!, example.hypervolume);
      });
      expect(all.filter((value, row) => value !== 0 && !members.includes(row))).toEqual([]);
    },
  );
});

describe('against the definitions', () => {
  it('ranks as peeling front after front does', () => {
    fc.assert(
      fc.property(pointSets, (points) => {
        expect(ranks(points)).toEqual(referenceRanks(points));
      }),
    );
  });

  it('measures the volume that slicing measures', () => {
    fc.assert(
      fc.property(pointSets, (points) => {
        const reference = (points[0] ?? [0]).map(() => 5);
        expectNear(hypervolume(points, reference), referenceHypervolume(points, reference));
      }),
    );
  });

  it('contributes what the front loses without the point', () => {
    fc.assert(
      fc.property(pointSets, (points) => {
        const reference = (points[0] ?? [0]).map(() => 5);
        const members = front(points);
        const whole = hypervolume(points, reference);
        contributions(points, reference).forEach((value, row) => {
          const left = members.filter((member) => member !== row).map((member) => points[member]!);
          expect(value).toBeCloseTo(whole - hypervolume(left, reference), 8);
        });
      }),
    );
  });

  it('turns with its directions', () => {
    fc.assert(
      fc.property(pointSets, fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), (points, flags) => {
        const m = points[0]?.length ?? 1;
        const directions = flags.slice(0, m).map((flag): Direction => (flag ? 'max' : 'min'));
        const turned = points.map((point) => point.map((value, k) => (flags[k] ? -value : value)));
        const corner = directions.map((direction) => (direction === 'max' ? -5 : 5));
        expect(ranks(turned, directions)).toEqual(ranks(points));
        expectNear(hypervolume(turned, corner, directions), hypervolume(points, corner.map(Math.abs)));
      }),
    );
  });
});

describe('edges', () => {
  it('keeps duplicates in the front and gives them no contribution', () => {
    const points = [
      [1, 2],
      [1, 2],
      [2, 1],
    ];
    expect(front(points)).toEqual([0, 1, 2]);
    expect(contributions(points, [3, 3])).toEqual([0, 0, 1]);
  });

  it('counts points on or beyond the reference as nothing', () => {
    expect(hypervolume([[3, 0]], [3, 3])).toBe(0);
    expect(hypervolume([[4, 0]], [3, 3])).toBe(0);
    expect(contributions([[4, 0]], [3, 3])).toEqual([0]);
  });

  it('takes as many points as it says', () => {
    const points = Array.from({ length: 100_000 }, (_, i) => [i, i]);
    expect(paretoSummary(points, ['max', 'max']).front).toEqual([99_999]);
    expect(
      hypervolume(
        points.map(([x]) => [x!]),
        [400],
      ),
    ).toBe(400);
    expect(refusal(() => ranks([...points, [0, 0]])).field).toBe('points');
  });

  it('takes no points at all', () => {
    expect(paretoSummary([], ['min', 'max'])).toMatchObject({
      front: [],
      ranks: [],
      hypervolume: 0,
      contributions: [],
    });
  });

  it('measures lengths with one objective', () => {
    expect(hypervolume([[2], [1], [4]], [3])).toBe(2);
    expect(contributions([[2], [1], [4]], [3])).toEqual([0, 2, 0]);
  });

  it('puts the reference that nobody named a tenth of the range behind the front', () => {
    const points = [
      [0, 10],
      [10, 0],
      [20, 20],
    ];
    expect(defaultReference(points)).toEqual([11, 11]);
    expect(defaultReference([[5, 5]], ['max', 'min'])).toEqual([4, 6]);
    expect(paretoSummary(points)).toMatchObject({ front: [0, 1], ranks: [0, 0, 1], hypervolume: 21 });
  });

  it.each([
    ['points[1][0]', () => ranks([[1], [NaN]])],
    [
      'points[1][1]',
      () =>
        hypervolume(
          [
            [1, 2],
            [1, Infinity],
          ],
          [3, 3],
        ),
    ],
    ['points[1]', () => ranks([[1, 2], [1]])],
    ['points[0]', () => ranks([[]])],
    ['points[0]', () => hypervolume([[1, 2, 3, 4, 5, 6]], [1, 2, 3, 4, 5, 6])],
    ['directions', () => ranks([[1, 2]], ['min'])],
    ['directions[1]', () => ranks([[1, 2]], ['min', 'up' as Direction])],
    ['reference', () => hypervolume([[1, 2]], [3])],
    ['reference[0]', () => hypervolume([[1, 2]], [NaN, 3])],
  ])('refuses a fault in %s by name', (field, act) => {
    expect(refusal(act).field).toBe(field);
  });
});
