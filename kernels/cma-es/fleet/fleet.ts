import { GpuError } from '../../gpu/index.ts';
import type { GpuOpening } from '../../gpu/index.ts';
import { KernelInputError, requireInteger } from '../../runtime/index.ts';
import type { CmaFleet, FleetOptions, FleetResult } from './contract.ts';
import { packEnsemble } from './ensemble.ts';
import { GpuFleet } from './gpu-fleet.ts';
import { FleetLayout, recentLength } from './layout.ts';
import { planFleet } from './plan.ts';
import type { FleetPlan } from './plan.ts';
import { unsupported } from './support.ts';
import { WasmFleet } from './wasm-fleet.ts';

/**
 * Begins a fleet: on the GPU when there is one that can take it, otherwise in WASM; `reason` says which and why. When the device
 * is lost or refuses in the middle, the fleet goes on in WASM from the last step, and says so.
 *
 *     const fleet = createFleet(module, await openGpu(navigator.gpu), { runs });
 *     while (!fleet.done) await fleet.step();
 *     const { x, fun } = fleet.result(0);
 *
 * The GPU only searches, in f32: `fun` is always the exact value of `x`. In WASM every run gives the same bytes as `CmaEs` alone.
 * On a GPU random words are the same, but rounding is f32's, and differs between GPUs; tolerances have floors (`F32_FLOORS`), and
 * `tolstagnation` is looked at once a step.
 *
 * @throws KernelInputError naming the run and its option, objective or snapshot, or the ensemble.
 */
export function createFleet(module: WebAssembly.Module, gpu: GpuOpening, options: FleetOptions): CmaFleet {
  const plan = planFleet(module, options);
  if (gpu.type === 'absent') return new Fleet(plan, new WasmFleet(plan), gpu.reason);
  const { device } = gpu;
  const models = plan.runs.some(({ objective }) => objective.kind === 'acquisition') ? (plan.ensemble ?? []) : [];
  const ensemble = packEnsemble(models);
  const popsizes = plan.runs.map(({ resolved }) => resolved.popsize);
  const layout = new FleetLayout({
    dimension: plan.dimension,
    popsize: Math.max(...popsizes),
    recent: Math.max(...popsizes.map((popsize) => recentLength(plan.dimension, popsize))),
    width: ensemble.width,
    members: models.length,
  });
  const obstacle = device.failure?.message ?? unsupported(plan, layout, device.limits);
  if (obstacle !== undefined) return new Fleet(plan, new WasmFleet(plan), obstacle);
  return new Fleet(plan, new GpuFleet(device, plan, layout, ensemble), `All runs fit on ${device.adapter}.`);
}

/** Runs on either side, and the change from one to the other. */
class Fleet implements CmaFleet {
  readonly #plan: FleetPlan;
  #side: GpuFleet | WasmFleet;
  #reason: string;

  constructor(plan: FleetPlan, side: GpuFleet | WasmFleet, reason: string) {
    this.#plan = plan;
    this.#side = side;
    this.#reason = reason;
  }

  get backend(): 'webgpu' | 'wasm' {
    return this.#side instanceof GpuFleet ? 'webgpu' : 'wasm';
  }

  get reason(): string {
    return this.#reason;
  }

  get size(): number {
    return this.#plan.runs.length;
  }

  get done(): boolean {
    return this.#side.done;
  }

  async step(): Promise<void> {
    try {
      await this.#side.step();
    } catch (error) {
      if (!(error instanceof GpuError)) throw error;
      this.#goOnInWasm(error.message);
    }
  }

  result(run: number): FleetResult {
    return this.#present(run, this.#side.result(run));
  }

  snapshot(run: number): Uint8Array {
    return this.#present(run, this.#side.snapshot(run));
  }

  evaluate(run: number, x: ArrayLike<number>): number {
    const { evaluate } = this.#present(run, this.#plan.runs[run]);
    return evaluate(Float64Array.from(x), 1)[0] ?? NaN;
  }

  close(): void {
    if (this.#side instanceof GpuFleet) this.#side.close();
  }

  #goOnInWasm(why: string): void {
    const side = this.#side;
    const runs = this.#plan.runs.map((run, index) => ({
      ...run,
      snapshot: side.snapshot(index) ?? run.snapshot,
      result: side.result(index) ?? run.result,
    }));
    this.close();
    this.#side = new WasmFleet({ ...this.#plan, runs });
    this.#reason = `${why.replace(/\.$/, '')}. The runs go on in WASM from where they were last read back.`;
  }

  #present<T>(run: number, found: T | undefined): T {
    requireInteger('run', run, { min: 0, max: this.size - 1 });
    if (found === undefined) throw new KernelInputError('run', `0 to ${this.size - 1}`, run);
    return found;
  }
}
