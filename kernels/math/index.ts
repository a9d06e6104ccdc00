import type { KernelInstance } from '../runtime/instance.ts';
import type { MathExports } from './exports.ts';

export type { MathExports } from './exports.ts';

/** Mathematics of the kernel binary, for code that must not depend on the host's `Math`. */
export function math(instance: KernelInstance): MathExports {
  return instance.exports;
}
