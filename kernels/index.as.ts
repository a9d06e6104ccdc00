// Everything that the binary exports. One line for each kernel; exported names are unique across kernels.
export * from './runtime/memory.as';
export * from './math/math.as';
export * from './rng/rng.as';
export * from './linalg/gemm.as';
export * from './mlp/mlp.as';
export * from './cma-es/cma-es.as';
export * from './bbob/bbob.as';
export * from './gp/gp.as';
export * from './forest/forest.as';
