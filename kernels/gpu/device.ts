import type { ShaderName } from '../build/shaders.ts';
import { BufferPool, mapAndCopy } from './buffers.ts';
import { Commands } from './commands.ts';
import { GpuError } from './errors.ts';
import { Program } from './program.ts';
import type { Binding } from './program.ts';

/** Limits of which a device gets what the adapter has; the others keep WebGPU's defaults. */
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;

/** A device that is open, or why there is none. */
export type GpuOpening =
  { readonly type: 'open'; readonly device: GpuDevice } | { readonly type: 'absent'; readonly reason: string };

const absent = (reason: string): GpuOpening => ({ type: 'absent', reason });

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Opens a device of its own on the best adapter that there is, a software adapter included.
 *
 * @param gpu `navigator.gpu` of a page or a Web Worker, or Dawn's in Node; undefined where there is none
 */
export async function openGpu(gpu: GPU | undefined): Promise<GpuOpening> {
  if (gpu === undefined) return absent('This engine has no WebGPU.');
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  } catch (error) {
    return absent(`WebGPU gives no adapter: ${messageOf(error)}`);
  }
  if (adapter === null) return absent('WebGPU finds no adapter: there is no GPU, or its driver is too old.');
  const { limits } = adapter;
  const requiredLimits = Object.fromEntries(WANTED_LIMITS.map((name) => [name, limits[name]]));
  try {
    return { type: 'open', device: new GpuDevice(await adapter.requestDevice({ requiredLimits }), adapter.info) };
  } catch (error) {
    return absent(`The adapter gives no device: ${messageOf(error)}`);
  }
}

function adapterName({ description, vendor, architecture, device }: GPUAdapterInfo): string {
  const parts = description === '' ? [vendor, architecture, device] : [description];
  return parts.filter((part) => part !== '').join(' ') || 'an adapter without a name';
}

/**
 * A device under watch: when it is lost or refuses something, whatever is awaited next throws a GpuError. End with `close`.
 */
export class GpuDevice {
  /** For what this class does not cover. */
  readonly raw: GPUDevice;
  /** What the adapter calls itself. */
  readonly adapter: string;
  readonly buffers: BufferPool;
  readonly #programs = new Map<string, Program>();
  readonly #reading = new Set<Promise<ArrayBuffer>>();
  #failure: GpuError | null = null;

  constructor(raw: GPUDevice, info: GPUAdapterInfo) {
    this.raw = raw;
    this.adapter = adapterName(info);
    this.buffers = new BufferPool(raw);
    raw.addEventListener('uncapturederror', ({ error }) => {
      this.#failure ??= new GpuError('fault', error.message);
    });
    void raw.lost.then(({ message, reason }) => {
      // A loss outlasts every other fault.
      this.#failure = new GpuError('lost', message === '' ? reason : message);
    });
  }

  get limits(): GPUSupportedLimits {
    return this.raw.limits;
  }

  /** The loss or the first fault; null while all is well. */
  get failure(): GpuError | null {
    return this.#failure;
  }

  /**
   * A shader of kernels/**.wgsl, named by its path without ending. The same one for the same name and constants.
   *
   * @param bindings of group 0, in their order
   * @param constants values of the shader's `override` constants
   */
  program(name: ShaderName, bindings: readonly Binding[], constants: Readonly<Record<string, number>> = {}): Program {
    const key = JSON.stringify([name, bindings, constants]);
    const program = this.#programs.get(key) ?? new Program(this.raw, name, bindings, constants);
    this.#programs.set(key, program);
    return program;
  }

  /** A storage buffer from the pool. It may hold old numbers. Give it back with `buffers.giveBack`. */
  storage(bytes: number): GPUBuffer {
    return this.buffers.take('storage', bytes);
  }

  /** A buffer from the pool with this content. */
  upload(kind: 'storage' | 'uniform', content: ArrayBuffer | ArrayBufferView<ArrayBuffer>): GPUBuffer {
    const buffer = this.buffers.take(kind, content.byteLength);
    this.write(buffer, 0, content);
    return buffer;
  }

  /** Offset and length are multiples of 4 bytes. */
  write(buffer: GPUBuffer, offset: number, content: ArrayBuffer | ArrayBufferView<ArrayBuffer>): void {
    if (content.byteLength > 0) this.raw.queue.writeBuffer(buffer, offset, content);
  }

  commands(): Commands {
    return new Commands(this.raw);
  }

  /**
   * What the buffer holds once all commands submitted so far are done.
   *
   * @throws GpuError when the device is lost or has refused something since it was opened
   */
  async read(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const reading = this.#read(buffer, offset, bytes);
    this.#reading.add(reading);
    try {
      return await reading;
    } finally {
      this.#reading.delete(reading);
    }
  }

  /** @throws GpuError when there is a failure. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  async #read(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    this.check();
    const staging = this.buffers.take('staging', bytes);
    this.commands().copy(buffer, offset, staging, 0, bytes).submit();
    let copy: ArrayBuffer;
    try {
      copy = await mapAndCopy(staging, bytes);
    } catch (error) {
      // A map fails when the device is lost, which may be told only later, or when the copy was refused, which was told before.
      this.check();
      throw new GpuError('lost', messageOf(error));
    }
    this.buffers.giveBack(staging);
    // What was computed after a refusal is not to be trusted.
    this.check();
    return copy;
  }

  /** Waits for what is under way and frees everything. A device that goes with a map pending takes Node down with it. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#reading, this.raw.queue.onSubmittedWorkDone()]);
    this.raw.destroy();
    await this.raw.lost;
  }
}
