import type { Minimised } from './contract.ts';

/** Whether row a is nowhere worse than row b, from objective `from` on. */
function covers({ values, objectives }: Minimised, a: number, b: number, from: number): boolean {
  for (let k = from; k < objectives; k++) {
    if ((values[a * objectives + k] ?? NaN) > (values[b * objectives + k] ?? NaN)) return false;
  }
  return true;
}

/** Rows by their objectives in turn, ties by index: no row is dominated by a later one. */
function lexicographicOrder({ values, rows, objectives }: Minimised): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) => {
    for (let k = 0; k < objectives; k++) {
      const difference = (values[a * objectives + k] ?? NaN) - (values[b * objectives + k] ?? NaN);
      if (difference !== 0) return difference;
    }
    return a - b;
  });
}

/**
 * A front that rows join in lexicographic order. The first objective has been compared by then, so that a member that is nowhere
 * worse in the others dominates.
 */
interface Front {
  dominates(row: number): boolean;
  join(row: number): void;
}

/** With one or two objectives the last member has the least second one, so that it alone decides. */
function lineFront(points: Minimised): Front {
  let last = -1;
  return {
    dominates: (row) => last >= 0 && covers(points, last, row, 1),
    join: (row) => (last = row),
  };
}

/** With three, members are a staircase in the other two: ascending y, descending z. */
function staircaseFront({ values }: Minimised): Front {
  const y: number[] = [];
  const z: number[] = [];
  const countUpTo = (limit: number): number => {
    let low = 0;
    let high = y.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((y[middle] ?? NaN) <= limit) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    dominates: (row) => (z[countUpTo(values[3 * row + 1] ?? NaN) - 1] ?? Infinity) <= (values[3 * row + 2] ?? NaN),
    join(row) {
      const [ownY, ownZ] = [values[3 * row + 1] ?? NaN, values[3 * row + 2] ?? NaN];
      let start = countUpTo(ownY);
      if (start > 0 && y[start - 1] === ownY) start--;
      let end = start;
      while (end < z.length && (z[end] ?? NaN) >= ownZ) end++;
      y.splice(start, end - start, ownY);
      z.splice(start, end - start, ownZ);
    },
  };
}

/** With more, everyone is asked, latest first: neighbours in the first objective are likelier to dominate. */
function listFront(points: Minimised): Front {
  const members: number[] = [];
  return {
    dominates(row) {
      for (let i = members.length - 1; i >= 0; i--) if (covers(points, members[i] ?? row, row, 1)) return true;
      return false;
    },
    join: (row) => members.push(row),
  };
}

function newFront(points: Minimised): Front {
  if (points.objectives <= 2) return lineFront(points);
  return points.objectives === 3 ? staircaseFront(points) : listFront(points);
}

/**
 * Non-dominated ranks by efficient non-dominated sort with binary search (Zhang, Tian, Cheng, Jin, IEEE Trans. Evol.
 * Comput. 19(2), 2015): a row joins the first front that has nobody who dominates it. If front k dominates a row, so
 * do all fronts before k, hence the bisection. O(N·log N) with two objectives, about that with three, up to N²·m with more.
 */
export function sortIntoFronts(points: Minimised): { ranks: number[]; fronts: number[][] } {
  const ranks = new Array<number>(points.rows).fill(0);
  const fronts: number[][] = [];
  const sorted: Front[] = [];
  let previous = -1;
  for (const row of lexicographicOrder(points)) {
    const equal = previous >= 0 && covers(points, row, previous, 0);
    const rank = equal ? (ranks[previous] ?? 0) : rankOf(sorted, row);
    previous = row;
    ranks[row] = rank;
    if (rank === fronts.length) {
      fronts.push([]);
      sorted.push(newFront(points));
    }
    fronts[rank]?.push(row);
    if (!equal) sorted[rank]?.join(row);
  }
  return { ranks, fronts };
}

function rankOf(fronts: readonly Front[], row: number): number {
  let low = 0;
  let high = fronts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fronts[middle]?.dominates(row)) low = middle + 1;
    else high = middle;
  }
  return low;
}
