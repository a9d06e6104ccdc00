import { rankOf, rowOf } from './entry.as';
import { Forest } from './state.as';

/** W and Σ w·y (centred) of the rows of a list, in their order. */
export function sumTargets<T>(forest: Forest, list: usize, n: i32): void {
  let sums = f64x2.splat(0);
  for (let i = 0; i < n; i++) {
    sums = f64x2.add(sums, v128.load(forest.records + (rowOf<T>(load<T>(list + <usize>i * sizeof<T>())) << 4)));
  }
  forest.sum = f64x2.extract_lane(sums, 0);
  forest.weight = f64x2.extract_lane(sums, 1);
}

/** The mean target of the rows of a list; of equal targets exactly theirs. */
export function leafMean<T>(forest: Forest, list: usize, n: i32): f64 {
  const first = load<f64>(forest.bagTargets + (rowOf<T>(load<T>(list)) << 3));
  let equal = true;
  let sum = 0.0;
  let total = 0.0;
  for (let i = 0; i < n; i++) {
    const row = rowOf<T>(load<T>(list + <usize>i * sizeof<T>()));
    const target = load<f64>(forest.bagTargets + (row << 3));
    const weight = load<f64>(forest.records + (row << 4), 8);
    equal = equal && target == first;
    sum += weight * target;
    total += weight;
  }
  return equal ? first : sum / total;
}

/** Looks for a better split among those of one feature, whose sorted entries are at `list`: see reference.ts, score. */
export function searchSquaredError<T>(forest: Forest, list: usize, n: i32, feature: i32): void {
  const records = forest.records;
  const weight = forest.weight;
  const mean = forest.sum / weight;
  const least = forest.minSamplesLeaf;
  const end = n - least;
  let score = forest.score;
  let left = 0;
  let sums = f64x2.splat(0);
  let i = 0;
  for (; i < least - 1; i++) {
    sums = f64x2.add(sums, v128.load(records + (rowOf<T>(load<T>(list + <usize>i * sizeof<T>())) << 4)));
  }
  let entry = load<T>(list + <usize>i * sizeof<T>());
  for (; i < end; i++) {
    const next = load<T>(list + <usize>(i + 1) * sizeof<T>());
    sums = f64x2.add(sums, v128.load(records + (rowOf<T>(entry) << 4)));
    const ties = rankOf<T>(entry) == rankOf<T>(next);
    entry = next;
    if (ties) continue;
    const weightLeft = f64x2.extract_lane(sums, 1);
    const difference = f64x2.extract_lane(sums, 0) - weightLeft * mean;
    const candidate = (difference * difference) / (weightLeft * (weight - weightLeft));
    if (candidate > score) {
      score = candidate;
      left = i + 1;
    }
  }
  if (left == 0) return;
  forest.score = score;
  forest.feature = feature;
  forest.left = left;
}
