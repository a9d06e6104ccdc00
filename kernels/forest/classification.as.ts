import { rankOf, rowOf } from './entry.as';
import { Forest } from './state.as';

/** W, the weight of each class and the sum of their squares, of the rows of a list. */
export function tallyClasses<T>(forest: Forest, list: usize, n: i32): void {
  const tally = forest.tally;
  memory.fill(tally, 0, (<usize>forest.classes) << 4);
  let weight = 0.0;
  for (let i = 0; i < n; i++) {
    const record = forest.records + (rowOf<T>(load<T>(list + <usize>i * sizeof<T>())) << 4);
    const w = load<f64>(record, 8);
    const entry = tally + ((<usize>load<f64>(record)) << 4);
    store<f64>(entry, load<f64>(entry, 8) + w, 8);
    weight += w;
  }
  let squares = 0.0;
  for (let c = 0; c < forest.classes; c++) {
    const w = load<f64>(tally + ((<usize>c) << 4), 8);
    squares += w * w;
  }
  forest.weight = weight;
  forest.squares = squares;
}

/**
 * Looks for a better split among those of one feature by Gini's impurity: see reference.ts, score. With weights l of the
 * classes on the left and t in the node, Σ(t − l)² = Σt² − 2Σt·l + Σl²; all of these are whole numbers, so sums are exact.
 */
export function searchGini<T>(forest: Forest, list: usize, n: i32, feature: i32): void {
  const records = forest.records;
  const tally = forest.tally;
  const weight = forest.weight;
  const least = forest.minSamplesLeaf;
  const end = n - least;
  let score = forest.score;
  let left = 0;
  for (let c = 0; c < forest.classes; c++) store<f64>(tally + ((<usize>c) << 4), 0);
  let weightLeft = 0.0;
  let squaresLeft = 0.0;
  let product = 0.0;
  let entry = load<T>(list);
  for (let i = 0; i < end; i++) {
    const next = load<T>(list + <usize>(i + 1) * sizeof<T>());
    const record = records + (rowOf<T>(entry) << 4);
    const place = tally + ((<usize>load<f64>(record)) << 4);
    const w = load<f64>(record, 8);
    const before = load<f64>(place);
    squaresLeft += w * (before + before + w);
    product += w * load<f64>(place, 8);
    weightLeft += w;
    store<f64>(place, before + w);
    const ties = rankOf<T>(entry) == rankOf<T>(next);
    entry = next;
    if (ties || i + 1 < least) continue;
    const squaresRight = forest.squares - product - product + squaresLeft;
    const candidate = squaresLeft / weightLeft + squaresRight / (weight - weightLeft);
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
