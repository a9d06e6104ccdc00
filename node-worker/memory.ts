/** Heap and buffers of this thread, the kernels’ memory among them; what the process shares is not counted. */
export function memoryBytes(): number {
  const { heapTotal, external } = process.memoryUsage();
  return heapTotal + external;
}
