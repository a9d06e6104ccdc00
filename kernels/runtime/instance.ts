import { KernelInputError } from './errors.ts';
import type { MathExports } from '../math/exports.ts';
import type { RngExports } from '../rng/exports.ts';

/** Address inside an instance's memory. */
export type Pointer = number;

interface RuntimeExports {
  readonly memory: WebAssembly.Memory;
  alloc(bytes: number): Pointer;
}

/** What every kernel may use; a kernel's own functions come as type argument of `instantiate`. */
export type CoreExports = RuntimeExports & MathExports & RngExports;

/** Largest block of AssemblyScript's allocator, 2³⁰ bytes less its header. */
const MAX_ALLOC_BYTES = 1024 * 1024 * 1024 - 16;

const outOfMemory = (): KernelInputError =>
  new KernelInputError('memory', 'a problem that fits into the memory of this machine', 'a larger one');

/**
 * One instance of the kernel binary with memory of its own.
 *
 * Memory is never given back: make an instance for a piece of work and drop it afterwards. Views are made anew at each
 * call and become detached when memory grows, so take them after the last `alloc` and do not keep them.
 */
export class KernelInstance<Exports extends object = object> {
  readonly exports: CoreExports & Exports;

  constructor(exports: CoreExports & Exports) {
    this.exports = exports;
  }

  /**
   * Zeroed memory, 16-byte aligned.
   *
   * @throws KernelInputError when there is no room for it.
   */
  alloc(bytes: number): Pointer {
    if (bytes > MAX_ALLOC_BYTES) throw outOfMemory();
    return this.allocating(() => this.exports.alloc(bytes)) >>> 0;
  }

  /**
   * Runs a function of the binary that takes memory. The binary traps when memory cannot grow.
   *
   * @throws KernelInputError when there is no room.
   */
  allocating<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw outOfMemory();
      throw error;
    }
  }

  f64(pointer: Pointer, length: number): Float64Array {
    return new Float64Array(this.exports.memory.buffer, pointer, length);
  }

  f32(pointer: Pointer, length: number): Float32Array {
    return new Float32Array(this.exports.memory.buffer, pointer, length);
  }

  u32(pointer: Pointer, length: number): Uint32Array {
    return new Uint32Array(this.exports.memory.buffer, pointer, length);
  }

  u16(pointer: Pointer, length: number): Uint16Array {
    return new Uint16Array(this.exports.memory.buffer, pointer, length);
  }

  u8(pointer: Pointer, length: number): Uint8Array {
    return new Uint8Array(this.exports.memory.buffer, pointer, length);
  }
}

/**
 * Instantiates the kernel binary, synchronously and with fresh memory.
 *
 * `Exports` names the functions of the kernel that is going to be used, e.g. `instantiate<MlpExports>(module)`.
 */
export function instantiate<Exports extends object = object>(module: WebAssembly.Module): KernelInstance<Exports> {
  const { exports } = new WebAssembly.Instance(module);
  // The compiler cannot see into the binary; test/pure/kernels/runtime.test.ts calls what the interfaces declare.
  return new KernelInstance(exports as unknown as CoreExports & Exports);
}
