import { makeEntry } from './entry.as';
import { Forest } from './state.as';

const DIGIT_BITS: u64 = 11;
const DIGITS: u64 = 6;
const BUCKETS: i32 = 1 << 11;

/** Bits of a finite number such that unsigned order is the order of numbers; −0 counts as 0. */
@inline
function orderedBits(x: f64): u64 {
  const bits = reinterpret<u64>(x + 0.0);
  return bits >> 63 ? ~bits : bits | 0x8000000000000000;
}

@inline
function numberOf(ordered: u64): f64 {
  return reinterpret<f64>(ordered >> 63 ? ordered & 0x7fffffffffffffff : ~ordered);
}

/** One stable pass of a radix sort over (u64 key, u32 row) pairs of 16 bytes; false when all keys have the same digit. */
function pass(from: usize, to: usize, n: i32, digit: u64, starts: usize): bool {
  const shift = digit * DIGIT_BITS;
  const mask = <u64>(BUCKETS - 1);
  memory.fill(starts, 0, (<usize>BUCKETS) << 2);
  for (let i = 0; i < n; i++) {
    const bucket = starts + (<usize>((load<u64>(from + ((<usize>i) << 4)) >> shift) & mask) << 2);
    store<u32>(bucket, load<u32>(bucket) + 1);
  }
  const first = starts + (<usize>((load<u64>(from) >> shift) & mask) << 2);
  if (load<u32>(first) == <u32>n) return false;
  let start: u32 = 0;
  for (let b = 0; b < BUCKETS; b++) {
    const bucket = starts + ((<usize>b) << 2);
    const count = load<u32>(bucket);
    store<u32>(bucket, start);
    start += count;
  }
  for (let i = 0; i < n; i++) {
    const pair = from + ((<usize>i) << 4);
    const bucket = starts + (<usize>((load<u64>(pair) >> shift) & mask) << 2);
    const place = load<u32>(bucket);
    store<u32>(bucket, place + 1);
    v128.store(to + ((<usize>place) << 4), v128.load(pair));
  }
  return true;
}

function sortFeature<T>(forest: Forest, feature: i32, pairs: usize, otherPairs: usize, starts: usize): void {
  const n = forest.rows;
  const offset = <usize>feature * <usize>n;
  const values = forest.values + (offset << 3);
  for (let row = 0; row < n; row++) {
    const pair = pairs + ((<usize>row) << 4);
    store<u64>(pair, orderedBits(load<f64>(values + ((<usize>row) << 3))));
    store<u32>(pair, row, 8);
  }
  for (let digit: u64 = 0; digit < DIGITS; digit++) {
    if (!pass(pairs, otherPairs, n, digit, starts)) continue;
    const swapped = pairs;
    pairs = otherPairs;
    otherPairs = swapped;
  }
  let rank: u32 = 0;
  let last = load<u64>(pairs);
  store<f64>(values, numberOf(last));
  for (let i = 0; i < n; i++) {
    const pair = pairs + ((<usize>i) << 4);
    const key = load<u64>(pair);
    if (key != last) {
      last = key;
      rank++;
      store<f64>(values + ((<usize>rank) << 3), numberOf(key));
    }
    const row = load<u32>(pair, 8);
    if (!forest.gathers) store<T>(forest.sorted + (offset + <usize>i) * sizeof<T>(), makeEntry<T>(rank, row));
    else if (sizeof<T>() == 8) store<u32>(forest.ranks + ((offset + <usize>row) << 2), rank);
    else store<u16>(forest.ranks + ((offset + <usize>row) << 1), <u16>rank);
  }
}

/**
 * Sorts each feature, once for all trees: by value, then by row. The columns in `values` are replaced by their distinct
 * values, ascending.
 */
export function forestSort(pointer: usize): void {
  const forest = changetype<Forest>(pointer);
  const pairBytes = (<usize>forest.rows) << 4;
  const pairs = heap.alloc(2 * pairBytes);
  const starts = heap.alloc((<usize>BUCKETS) << 2);
  for (let feature = 0; feature < forest.dimension; feature++) {
    if (forest.wide) sortFeature<u64>(forest, feature, pairs, pairs + pairBytes, starts);
    else sortFeature<u32>(forest, feature, pairs, pairs + pairBytes, starts);
  }
}
