/** Returns zeroed memory, 16-byte aligned. It lives as long as the instance: instances are thrown away, not emptied. */
export function alloc(bytes: usize): usize {
  const pointer = heap.alloc(bytes);
  memory.fill(pointer, 0, bytes);
  return pointer;
}
