/** Commands that go to the device together, in order; each dispatch sees what the ones before it wrote. */
export class Commands {
  readonly #device: GPUDevice;
  readonly #encoder: GPUCommandEncoder;
  #pass: GPUComputePassEncoder | null = null;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#encoder = device.createCommandEncoder();
  }

  /**
   * Runs a pipeline on x·y·z workgroups.
   *
   * @param offset of the record that the bind group's dynamic uniform shows; only with such a binding
   */
  dispatch(
    pipeline: GPUComputePipeline,
    bindings: GPUBindGroup,
    [x, y = 1, z = 1]: readonly [number, number?, number?],
    offset?: number,
  ): this {
    this.#pass ??= this.#encoder.beginComputePass();
    this.#pass.setPipeline(pipeline);
    this.#pass.setBindGroup(0, bindings, offset === undefined ? [] : [offset]);
    this.#pass.dispatchWorkgroups(x, y, z);
    return this;
  }

  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, bytes: number): this {
    this.#endPass();
    this.#encoder.copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
    return this;
  }

  submit(): void {
    this.#endPass();
    this.#device.queue.submit([this.#encoder.finish()]);
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
  }
}
