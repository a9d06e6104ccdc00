// Ranking of objective values: ascending, NaN after everything else, ties by index.

/** Runs of this length are sorted by insertion before they are merged. */
const RUN: i32 = 12;

/** Whether candidate b ranks strictly before candidate a, which came first. */
@inline
function before(values: usize, b: i32, a: i32): bool {
  const x = load<f64>(values + (<usize>b << 3));
  const y = load<f64>(values + (<usize>a << 3));
  return x < y || (y != y && x == x);
}

function insertionSort(values: usize, order: usize, from: i32, to: i32): void {
  for (let i = from + 1; i < to; i++) {
    const moved = load<i32>(order + (<usize>i << 2));
    let j = i;
    for (; j > from; j--) {
      const other = load<i32>(order + (<usize>(j - 1) << 2));
      if (!before(values, moved, other)) break;
      store<i32>(order + (<usize>j << 2), other);
    }
    store<i32>(order + (<usize>j << 2), moved);
  }
}

function merge(values: usize, source: usize, target: usize, from: i32, middle: i32, to: i32): void {
  let left = from;
  let right = middle;
  for (let place = from; place < to; place++) {
    let takeRight = left >= middle;
    if (!takeRight && right < to) {
      takeRight = before(values, load<i32>(source + (<usize>right << 2)), load<i32>(source + (<usize>left << 2)));
    }
    const taken = takeRight ? right++ : left++;
    store<i32>(target + (<usize>place << 2), load<i32>(source + (<usize>taken << 2)));
  }
}

/** Writes the stable order of n values to `order`; `spare` has room for n words too. Gives the number of NaNs. */
export function rank(values: usize, order: usize, spare: usize, n: i32): i32 {
  let nans = 0;
  for (let i = 0; i < n; i++) {
    store<i32>(order + (<usize>i << 2), i);
    const value = load<f64>(values + (<usize>i << 3));
    if (value != value) nans++;
  }
  for (let from = 0; from < n; from += RUN) insertionSort(values, order, from, min(from + RUN, n));
  let source = order;
  let target = spare;
  for (let width = RUN; width < n; width *= 2) {
    for (let from = 0; from < n; from += 2 * width) {
      merge(values, source, target, from, min(from + width, n), min(from + 2 * width, n));
    }
    const kept = source;
    source = target;
    target = kept;
  }
  if (source != order) memory.copy(order, source, <usize>n << 2);
  return nans;
}
