import { shaders } from '../build/shaders.ts';
import type { ShaderName } from '../build/shaders.ts';
import { GpuError } from './errors.ts';

/**
 * What a binding is, in the order of `@binding` in group 0: a uniform; a uniform of which each dispatch picks a record by its
 * offset; a storage buffer that is read; one that is read and written.
 */
export type Binding = 'uniform' | 'record' | 'read' | 'write';

const LAYOUTS: Readonly<Record<Binding, GPUBufferBindingLayout>> = {
  uniform: { type: 'uniform' },
  record: { type: 'uniform', hasDynamicOffset: true },
  read: { type: 'read-only-storage' },
  write: { type: 'storage' },
};

/** GPUShaderStage.COMPUTE */
const COMPUTE = 0x4;

/** A buffer as a shader sees it: its first `bytes`, or all of it. */
export interface Bound {
  readonly buffer: GPUBuffer;
  readonly bytes?: number;
}

/** One WGSL file with what is bound to it; its entry points are compiled once, when they are first asked for. */
export class Program {
  readonly #device: GPUDevice;
  readonly #name: ShaderName;
  readonly #module: GPUShaderModule;
  readonly #layout: GPUBindGroupLayout;
  readonly #constants: Record<string, number>;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(
    device: GPUDevice,
    name: ShaderName,
    bindings: readonly Binding[],
    constants: Readonly<Record<string, number>> = {},
  ) {
    this.#device = device;
    this.#name = name;
    this.#constants = { ...constants };
    this.#module = device.createShaderModule({ code: shaders[name], label: name });
    this.#layout = device.createBindGroupLayout({
      label: name,
      entries: bindings.map((kind, binding) => ({ binding, visibility: COMPUTE, buffer: LAYOUTS[kind] })),
    });
  }

  /** @throws GpuError when the device does not take the shader. */
  pipeline(entryPoint: string): Promise<GPUComputePipeline> {
    const made = this.#pipelines.get(entryPoint) ?? this.#compile(entryPoint);
    this.#pipelines.set(entryPoint, made);
    return made;
  }

  async #compile(entryPoint: string): Promise<GPUComputePipeline> {
    try {
      return await this.#device.createComputePipelineAsync({
        label: `${this.#name} ${entryPoint}`,
        layout: this.#device.createPipelineLayout({ bindGroupLayouts: [this.#layout] }),
        compute: { module: this.#module, entryPoint, constants: this.#constants },
      });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new GpuError('fault', `${this.#name}.wgsl, ${entryPoint}: ${why}`);
    }
  }

  /** Buffers in the order of the bindings. */
  bind(bound: readonly Bound[]): GPUBindGroup {
    return this.#device.createBindGroup({
      layout: this.#layout,
      entries: bound.map(({ buffer, bytes }, binding) => ({
        binding,
        resource: bytes === undefined ? { buffer } : { buffer, size: bytes },
      })),
    });
  }
}
