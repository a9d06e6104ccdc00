/** Heap and buffers of this thread, WebAssembly’s memory among them; what the process shares is not counted. */
export function memoryBytes(): number {
  const { heapTotal, external } = process.memoryUsage();
  return heapTotal + external;
}

/** All that this process holds, with what drivers and other native code have taken: only this shows their leaks. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}
