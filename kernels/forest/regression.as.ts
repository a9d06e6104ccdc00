import { bytesOf, rowOf } from './entry.as';
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

/** The record of the row of an entry: (w·y, w). */
@inline
function recordOf<T>(records: usize, entry: T): v128 {
  return v128.load(records + (rowOf<T>(entry) << 4));
}

/**
 * Looks for a better split among those of one feature, whose sorted entries are at `list`: see reference.ts, score. Two
 * neighbouring splits are looked at together; places between equal values, and beyond the last split, count as −1.
 */
export function searchSquaredError<T>(forest: Forest, list: usize, n: i32, feature: i32): void {
  const records = forest.records;
  const weight = f64x2.splat(forest.weight);
  const mean = f64x2.splat(forest.sum / forest.weight);
  const none = f64x2.splat(-1);
  const end = n - forest.minSamplesLeaf;
  let sums = f64x2.splat(0);
  let i = forest.minSamplesLeaf - 1;
  const first = list + bytesOf<T>(i);
  for (; list < first; list += sizeof<T>()) sums = f64x2.add(sums, recordOf<T>(records, load<T>(list)));
  let scores = f64x2.splat(forest.score);
  let places = i64x2.splat(0);
  let place = i64x2(i + 1, i + 2);
  let entry = load<T>(list);
  for (; i < end; i += 2, list += 2 * sizeof<T>(), place = i64x2.add(place, i64x2.splat(2))) {
    const second = load<T>(list, sizeof<T>());
    const third = load<T>(list, 2 * sizeof<T>());
    const sums1 = f64x2.add(sums, recordOf<T>(records, entry));
    const sums2 = f64x2.add(sums1, recordOf<T>(records, second));
    const steps = i64x2.shr_u(i64x2(<i64>(entry ^ second), i + 1 < end ? <i64>(second ^ third) : 0), 4 * sizeof<T>());
    const left = v128.shuffle<f64>(sums1, sums2, 1, 3);
    const difference = f64x2.sub(v128.shuffle<f64>(sums1, sums2, 0, 2), f64x2.mul(left, mean));
    const score = f64x2.div(f64x2.mul(difference, difference), f64x2.mul(left, f64x2.sub(weight, left)));
    const candidate = v128.bitselect(none, score, i64x2.eq(steps, i64x2.splat(0)));
    places = v128.bitselect(place, places, f64x2.gt(candidate, scores));
    scores = f64x2.pmax(scores, candidate);
    sums = sums2;
    entry = third;
  }
  const score1 = f64x2.extract_lane(scores, 0);
  const score2 = f64x2.extract_lane(scores, 1);
  const place1 = <i32>i64x2.extract_lane(places, 0);
  const place2 = <i32>i64x2.extract_lane(places, 1);
  if (place1 + place2 == 0) return;
  const second = score2 > score1 || (score2 == score1 && place1 > place2 && place2 > 0) || place1 == 0;
  forest.score = second ? score2 : score1;
  forest.left = second ? place2 : place1;
  forest.feature = feature;
}
