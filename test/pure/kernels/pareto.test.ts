import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelInputError } from '../../../kernels/index.ts';
import {
  HYPERVOLUME_TOLERANCE,
  contributions,
  crowding,
  defaultReference,
  front,
  hypervolume,
  paretoSummary,
  ranks,
  worstPoint,
} from '../../../kernels/pareto/index.ts';
import type { Direction } from '../../../kernels/pareto/index.ts';
import { referenceCrowding, referenceHypervolume, referenceRanks } from '../../../kernels/pareto/reference.ts';

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

/** Unit cells below `side` that some point covers, and for each point those that no other point of the front covers. */
function countCells(points: number[][], side: number): { volume: number; alone: number[] } {
  const members = referenceRanks(points).flatMap((rank, row) => (rank === 0 ? [row] : []));
  const alone = points.map(() => 0);
  let volume = 0;
  const cell = points[0]!.map(() => 0);
  for (let index = 0; index < side ** cell.length; index++) {
    cell.forEach((_, k) => (cell[k] = Math.floor(index / side ** k) % side));
    const owners = members.filter((row) => points[row]!.every((value, k) => value <= cell[k]!));
    if (owners.length > 0) volume += 1;
    if (owners.length === 1) alone[owners[0]!]! += 1;
  }
  return { volume, alone };
}

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

  it.each([
    { m: 1, side: 9, most: 12 },
    { m: 2, side: 20, most: 40 },
    { m: 3, side: 12, most: 60 },
    { m: 4, side: 7, most: 40 },
    { m: 5, side: 4, most: 40 },
  ])('counts the cells that points cover, and those that one alone covers, in $m objectives', ({ m, side, most }) => {
    const point = fc.array(fc.integer({ min: 0, max: side }), { minLength: m, maxLength: m });
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: most }), (points) => {
        const reference = new Array<number>(m).fill(side);
        const { volume, alone } = countCells(points, side);
        // Integers: nothing is rounded, so that the results must be equal.
        expect(hypervolume(points, reference)).toBe(volume);
        expect(contributions(points, reference)).toEqual(alone);
      }),
      { numRuns: 60 },
    );
  });

  it('measures unions as inclusion and exclusion do', () => {
    fc.assert(
      fc.property(pointSets, (points) => {
        const some = points.slice(0, 8).filter((point) => point.every((value) => value < 7));
        let volume = 0;
        for (let subset = 1; subset < 1 << some.length; subset++) {
          const chosen = some.filter((_, i) => (subset >> i) & 1);
          const shared = chosen[0]!.reduce((product, _, k) => product * (7 - Math.max(...chosen.map((x) => x[k]!))), 1);
          volume += chosen.length % 2 === 1 ? shared : -shared;
        }
        expect(
          hypervolume(
            some,
            (points[0] ?? [0]).map(() => 7),
          ),
        ).toBe(volume);
      }),
    );
  });

  it('keeps apart what the paper keeps apart, rank by rank', () => {
    fc.assert(
      fc.property(pointSets, (points) => {
        const all = ranks(points);
        const distances = crowding(points);
        for (const rank of new Set(all)) {
          const rows = all.flatMap((own, row) => (own === rank ? [row] : []));
          const expected = referenceCrowding(rows.map((row) => points[row]!));
          rows.forEach((row, place) => {
            expect(distances[row]).toBeCloseTo(expected[place]!, 12);
          });
        }
      }),
    );
  });

  it('ranks hundreds of points as peeling does, whatever the objectives', () => {
    const random = (m: number) => fc.array(fc.integer({ min: 0, max: 30 }), { minLength: m, maxLength: m });
    const sets = fc.integer({ min: 1, max: 6 }).chain((m) => fc.array(random(m), { minLength: 100, maxLength: 200 }));
    fc.assert(
      fc.property(sets, (points) => {
        expect(ranks(points)).toEqual(referenceRanks(points));
      }),
      { numRuns: 20 },
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
      crowding: [],
    });
  });

  it('gives the ends of a front, and fronts of one or two, an infinite crowding distance', () => {
    const points = [
      [0, 4],
      [1, 2],
      [4, 0],
      [5, 5],
      [3, 1],
    ];
    expect(crowding(points)).toEqual([Infinity, 3 / 4 + 3 / 4, Infinity, Infinity, 3 / 4 + 2 / 4]);
    expect(crowding([[1, 1]])).toEqual([Infinity]);
    expect(crowding([])).toEqual([]);
  });

  it('gives equal points no distance, and takes the largest values', () => {
    expect(crowding([[1], [1], [1]])).toEqual([0, 0, 0]);
    const far = 1.7e308;
    expect(
      crowding([
        [-far, far],
        [0, 0],
        [far, -far],
      ]),
    ).toEqual([Infinity, 2, Infinity]);
  });

  it('knows the worst value of each objective', () => {
    expect(
      worstPoint(
        [
          [1, 5],
          [3, 2],
        ],
        ['min', 'max'],
      ),
    ).toEqual([3, 2]);
    expect(worstPoint([], ['min', 'max'])).toEqual([0, 0]);
  });

  it.each([3, 4])('measures a front of %i objectives whose volume has a closed form', (m) => {
    // All points of the simplex lattice Σx = s: what they cover, of the cube of side s + 1, is the cells with Σx ≥ s.
    const s = m === 3 ? 40 : 12;
    const points: number[][] = [];
    const extend = (head: number[], left: number): void => {
      if (head.length === m - 1) points.push([...head, left]);
      else for (let x = 0; x <= left; x++) extend([...head, x], left - x);
    };
    extend([], s);
    const below = (n: number) =>
      Array.from({ length: m }, (_, k) => n - k).reduce((product, factor, k) => (product * factor) / (k + 1), 1);
    const corner = new Array<number>(m).fill(s + 1);
    expect(hypervolume(points, corner)).toBe((s + 1) ** m - below(s + m - 1));
    expect(contributions(points, corner)).toEqual(points.map(() => 1));
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
    ['reference', () => hypervolume([[-1e200, -1e200]], [1e200, 1e200])],
    ['points[0][1]', () => crowding([[1, -Infinity]])],
  ])('refuses a fault in %s by name', (field, act) => {
    expect(refusal(act).field).toBe(field);
  });
});
