// Everything that the binary exports. One line for each kernel; exported names are unique across kernels.
export * from './runtime/memory.as';
export * from './math/math.as';
export * from './rng/rng.as';
