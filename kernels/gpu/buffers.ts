/** Bits of GPUBufferUsage and GPUMapMode (WebGPU, sections 5.1 and 5.2): Node has no such globals. */
const MAP_READ = 0x1;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const UNIFORM = 0x40;
const STORAGE = 0x80;
const MODE_READ = 0x1;

const SMALLEST_BYTES = 256;

/**
 * Sizes in which buffers are pooled: powers of two, so that a new need seldom misses an old buffer by a little; but where that
 * were more than the device allows, what is needed, in whole words.
 */
export function pooledBytes(bytes: number, mostBytes: number): number {
  let size = SMALLEST_BYTES;
  while (size < bytes) size *= 2;
  return size <= mostBytes ? size : 4 * Math.ceil(bytes / 4);
}

export type BufferKind = 'storage' | 'uniform' | 'staging';

const USAGES: Readonly<Record<BufferKind, number>> = {
  storage: STORAGE | COPY_SRC | COPY_DST,
  uniform: UNIFORM | COPY_DST,
  staging: MAP_READ | COPY_DST,
};

/** Buffers that were given back wait here for the next one who needs their kind and size. */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #free = new Map<string, GPUBuffer[]>();
  readonly #kinds = new WeakMap<GPUBuffer, BufferKind>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** A buffer of at least `bytes`. A used one keeps its old content. */
  take(kind: BufferKind, bytes: number): GPUBuffer {
    const size = pooledBytes(bytes, this.#device.limits.maxBufferSize);
    const waiting = this.#free.get(`${kind}${size}`)?.pop();
    if (waiting) return waiting;
    const buffer = this.#device.createBuffer({ size, usage: USAGES[kind], label: `${kind} of ${size} bytes` });
    this.#kinds.set(buffer, kind);
    return buffer;
  }

  giveBack(buffer: GPUBuffer): void {
    const key = `${this.#kinds.get(buffer) ?? ''}${buffer.size}`;
    const waiting = this.#free.get(key);
    if (waiting) waiting.push(buffer);
    else this.#free.set(key, [buffer]);
  }
}

/** A copy of the first `bytes` of a staging buffer. */
export async function mapAndCopy(staging: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
  await staging.mapAsync(MODE_READ, 0, bytes);
  const copy = staging.getMappedRange(0, bytes).slice(0);
  staging.unmap();
  return copy;
}
