import type { BuiltinName } from '#kernels/bbob';
import type { CmaOptions } from '#kernels/cma-es';
import { createFleet } from '#kernels/cma-es/fleet';
import type { CmaFleet, FleetRun } from '#kernels/cma-es/fleet';
import { openGpu } from '#kernels/gpu';
import type { GpuDevice, GpuOpening } from '#kernels/gpu';
import { makeModel } from '../../../kernels/mlp/model.ts';
import type { MlpModel } from '#kernels/mlp';
import { Rng } from '#kernels/rng';

export const absent: GpuOpening = { type: 'absent', reason: 'Not wanted here.' };

/** The software adapter’s device, which every scenario but those of absence needs. */
export async function deviceOf(gpu: GPU | undefined): Promise<GpuDevice> {
  const opening = await openGpu(gpu);
  if (opening.type === 'absent') throw new Error(opening.reason);
  return opening.device;
}

/** `count` runs on a function, each from a place of its own. */
export function runsOn(name: BuiltinName, count: number, d: number, options: Partial<CmaOptions> = {}): FleetRun[] {
  return Array.from({ length: count }, (_, seed) => {
    const rng = new Rng(seed, 77);
    const x0 = Array.from({ length: d }, () => 6 * rng.uniform() - 3);
    return { objective: { kind: 'function', name }, options: { dimension: d, x0, sigma0: 1, seed, ...options } };
  });
}

export async function finish(fleet: CmaFleet): Promise<CmaFleet> {
  while (!fleet.done) await fleet.step();
  return fleet;
}

/** What a test compares of a fleet. */
export interface Report {
  readonly backend: string;
  readonly reason: string;
  readonly runs: { x: number[]; fun: number; exact: number; evaluations: number; iterations: number; stop: string[] }[];
}

export function report(fleet: CmaFleet): Report {
  const { backend, reason, size } = fleet;
  const runs = Array.from({ length: size }, (_, i) => {
    const { x, fun, evaluations, iterations, stop } = fleet.result(i);
    return { x: [...x], fun, exact: fleet.evaluate(i, x), evaluations, iterations, stop: Object.keys(stop) };
  });
  return { backend, reason, runs };
}

/** A fleet brought to its end on a device, or in WASM. */
export async function played(kernels: WebAssembly.Module, gpu: GpuOpening, runs: FleetRun[], ensemble?: MlpModel[]) {
  const fleet = createFleet(kernels, gpu, ensemble === undefined ? { runs } : { runs, ensemble });
  const result = report(await finish(fleet));
  fleet.close();
  return result;
}

/** Models with random weights: bumpy enough to have several optima. Their activations differ. */
export function randomEnsemble(d: number): MlpModel[] {
  const layers = [d, 16, 12, 1];
  const count = layers.slice(1).reduce((sum, outputs, l) => sum + ((layers[l] ?? 0) + 1) * outputs, 0);
  return (['tanh', 'relu', 'gelu', 'tanh'] as const).map((activation, member) => {
    const rng = new Rng(member, 78);
    const inputs = { mean: new Float64Array(d).fill(0.5), scale: new Float64Array(d).fill(0.3) };
    const outputs = { mean: new Float64Array([2]), scale: new Float64Array([1.5]) };
    const weights = Float32Array.from({ length: count }, () => 0.7 * rng.normal());
    const training = { rows: 1, validationRows: 0, epochs: 1, bestEpoch: 1, trainLoss: 0, validationLoss: null };
    return makeModel({ activation, loss: 'squared_error', layers, training }, inputs, outputs, weights);
  });
}
