import { bytesOf, makeEntry, rankOf, rowOf } from './entry.as';
import { Forest } from './state.as';

/** Up to here insertion is faster than counting. */
const INSERTION: i32 = 32;
const DIGIT_BITS: u32 = 8;
const BUCKETS: usize = 256;

/** The rank of a row of the table in a feature, where lists are gathered. */
@inline
export function rankAt<T>(forest: Forest, feature: i32, row: u32): u32 {
  const place = <usize>feature * <usize>forest.rows + <usize>row;
  return sizeof<T>() == 8 ? load<u32>(forest.ranks + (place << 2)) : <u32>load<u16>(forest.ranks + (place << 1));
}

function insertionSort<T>(list: usize, n: i32): void {
  const end = list + bytesOf<T>(n);
  for (let place = list + sizeof<T>(); place < end; place += sizeof<T>()) {
    const entry = load<T>(place);
    let hole = place;
    while (hole > list) {
      const other = load<T>(hole - sizeof<T>());
      if (other <= entry) break;
      store<T>(hole, other);
      hole -= sizeof<T>();
    }
    store<T>(hole, entry);
  }
}

/** One stable pass by 8 bits of the rank. */
function countingPass<T>(from: usize, to: usize, n: i32, shift: u32, starts: usize): void {
  memory.fill(starts, 0, BUCKETS << 2);
  const end = from + bytesOf<T>(n);
  for (let place = from; place < end; place += sizeof<T>()) {
    const bucket = starts + (<usize>((rankOf<T>(load<T>(place)) >> shift) & 0xff) << 2);
    store<u32>(bucket, load<u32>(bucket) + 1);
  }
  let start: u32 = 0;
  for (let bucket = starts; bucket < starts + (BUCKETS << 2); bucket += 4) {
    const count = load<u32>(bucket);
    store<u32>(bucket, start);
    start += count;
  }
  for (let place = from; place < end; place += sizeof<T>()) {
    const entry = load<T>(place);
    const bucket = starts + (<usize>((rankOf<T>(entry) >> shift) & 0xff) << 2);
    const index = load<u32>(bucket);
    store<u32>(bucket, index + 1);
    store<T>(to + <usize>index * sizeof<T>(), entry);
  }
}

/** The sorted entries of one feature for the rows of a list (number in the table, number in the bag); 0 when all ranks are equal. */
export function gather<T>(forest: Forest, rows: usize, n: i32, feature: i32): usize {
  const list = forest.gathered;
  const first = rankAt<T>(forest, feature, rankOf<T>(load<T>(rows)));
  let different: u32 = 0;
  let largest: u32 = 0;
  for (let i = 0; i < n; i++) {
    const row = load<T>(rows + bytesOf<T>(i));
    const rank = rankAt<T>(forest, feature, rankOf<T>(row));
    different |= rank ^ first;
    largest = max(largest, rank);
    store<T>(list + bytesOf<T>(i), makeEntry<T>(rank, <u32>rowOf<T>(row)));
  }
  if (different == 0) return 0;
  if (n <= INSERTION) {
    insertionSort<T>(list, n);
    return list;
  }
  let from = list;
  let to = forest.otherGathered;
  // 32 bits need four passes at most.
  for (let shift: u32 = 0; shift < 32 && largest >> shift != 0; shift += DIGIT_BITS) {
    countingPass<T>(from, to, n, shift, forest.starts);
    const sorted = to;
    to = from;
    from = sorted;
  }
  return from;
}
