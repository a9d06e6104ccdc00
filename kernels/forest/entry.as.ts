// Entries of one width: see Forest. T is u32 or u64.

@inline
export function makeEntry<T>(rank: u32, row: u32): T {
  return <T>(sizeof<T>() == 8 ? ((<u64>rank) << 32) | row : <u64>((rank << 16) | row));
}

@inline
export function rankOf<T>(entry: T): u32 {
  return sizeof<T>() == 8 ? <u32>((<u64>entry) >> 32) : (<u32>entry) >> 16;
}

@inline
export function rowOf<T>(entry: T): usize {
  return sizeof<T>() == 8 ? <usize>(<u32>entry) : <usize>((<u32>entry) & 0xffff);
}

/** Bytes of n entries. */
@inline
export function bytesOf<T>(n: i32): usize {
  return (<usize>n) * sizeof<T>();
}
