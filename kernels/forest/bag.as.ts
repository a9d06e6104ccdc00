import { Philox } from '../rng/philox.as';
import { bytesOf, makeEntry, rankOf, rowOf } from './entry.as';
import { Forest } from './state.as';

/** Trees have streams of their own, far from those of other kernels under the same seed. */
const FIRST_STREAM: f64 = 1099511627776.0;

/** Seeds the stream of a tree and draws its bag. Gives n. */
export function drawBag(forest: Forest, tree: f64): void {
  const rng = changetype<Philox>(forest.rng);
  rng.seed(forest.seed, FIRST_STREAM + tree);
  const rows = forest.rows;
  const draws = forest.draws;
  if (draws == 0) {
    for (let row = 0; row < rows; row++) store<u32>(forest.counts + ((<usize>row) << 2), 1);
  } else {
    memory.fill(forest.counts, 0, (<usize>rows) << 2);
    for (let i = 0; i < draws; i++) {
      const count = forest.counts + ((<usize>rng.integer(rows)) << 2);
      store<u32>(count, load<u32>(count) + 1);
    }
  }
  let n = 0;
  for (let row = 0; row < rows; row++) {
    const count = load<u32>(forest.counts + ((<usize>row) << 2));
    if (count == 0) continue;
    store<u32>(forest.numbers + ((<usize>row) << 2), n);
    const weight = <f64>count;
    const record = forest.records + ((<usize>n) << 4);
    const target = load<f64>(forest.targets + ((<usize>row) << 3));
    store<f64>(forest.bagTargets + ((<usize>n) << 3), target);
    store<f64>(record, forest.classes == 0 ? weight * load<f64>(forest.centred + ((<usize>row) << 3)) : target);
    store<f64>(record, weight, 8);
    n++;
  }
  forest.bag = n;
}

/** The lists of the root: all entries whose rows are in the bag, under their new numbers. */
export function fillLists<T>(forest: Forest): void {
  const rows = forest.rows;
  let sorted = forest.sorted;
  let list = forest.lists;
  for (let feature = 0; feature < forest.rowLists; feature++) {
    let to = list;
    for (let i = 0; i < rows; i++, sorted += sizeof<T>()) {
      const entry = load<T>(sorted);
      const row = rowOf<T>(entry) << 2;
      // Without a branch: which rows are in the bag is random. What is written for a row outside is overwritten.
      store<T>(to, makeEntry<T>(rankOf<T>(entry), load<u32>(forest.numbers + row)));
      to += <usize>(load<u32>(forest.counts + row) != 0) * sizeof<T>();
    }
    list += bytesOf<T>(forest.bag);
  }
  for (let row = 0; row < rows; row++) {
    if (load<u32>(forest.counts + ((<usize>row) << 2)) == 0) continue;
    store<T>(list, makeEntry<T>(row, load<u32>(forest.numbers + ((<usize>row) << 2))));
    list += sizeof<T>();
  }
}
