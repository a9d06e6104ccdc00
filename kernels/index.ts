export { compileKernels, kernelDigest } from './runtime/binary.ts';
export { KernelInputError, KernelInstance, instantiate } from './runtime/index.ts';
export { math } from './math/index.ts';
export type { MathExports } from './math/index.ts';
