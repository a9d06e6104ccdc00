import type { Minimised } from './contract.ts';

/** Whether row a dominates row b: nowhere worse, somewhere better. */
function dominates({ values, objectives }: Minimised, a: number, b: number): boolean {
  let better = false;
  for (let k = 0; k < objectives; k++) {
    const x = values[a * objectives + k] ?? NaN;
    const y = values[b * objectives + k] ?? NaN;
    if (x > y) return false;
    if (x < y) better = true;
  }
  return better;
}

/** Rows by their objectives in turn, ties by index: no row is dominated by a later one. */
export function lexicographicOrder({ values, rows, objectives }: Minimised): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) => {
    for (let k = 0; k < objectives; k++) {
      const difference = (values[a * objectives + k] ?? NaN) - (values[b * objectives + k] ?? NaN);
      if (difference !== 0) return difference;
    }
    return a - b;
  });
}

/**
 * Whether a member of the front dominates the row, which comes after all of them in lexicographic order. With two
 * objectives the last member has the least second objective, so that it alone decides.
 */
function frontDominates(points: Minimised, front: readonly number[], row: number): boolean {
  const until = points.objectives <= 2 ? Math.max(0, front.length - 1) : 0;
  for (let i = front.length - 1; i >= until; i--) {
    const member = front[i];
    if (member !== undefined && dominates(points, member, row)) return true;
  }
  return false;
}

/**
 * Non-dominated ranks by efficient non-dominated sort with binary search (Zhang, Tian, Cheng, Jin, IEEE Trans. Evol.
 * Comput. 19(2), 2015): a row joins the first front that has nobody who dominates it. If front k dominates a row, so
 * do all fronts before k, hence the bisection.
 */
export function sortIntoFronts(points: Minimised): { ranks: number[]; fronts: number[][] } {
  const ranks = new Array<number>(points.rows).fill(0);
  const fronts: number[][] = [];
  for (const row of lexicographicOrder(points)) {
    let low = 0;
    let high = fronts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (frontDominates(points, fronts[middle] ?? [], row)) low = middle + 1;
      else high = middle;
    }
    ranks[row] = low;
    const front = fronts[low];
    if (front === undefined) fronts.push([row]);
    else front.push(row);
  }
  return { ranks, fronts };
}
