import { KernelInputError } from '#kernels';
import { GpPredictor, parseGpModel, type GpModel } from '#kernels/gp';
import { normalQuantile, Rng } from '#kernels/rng';
import { once, type InputStatistics, type Predictor } from './predictor.ts';

/** Members that a process is shown as. */
export const gpMembers = 64;
/** Of the order in which members take their quantiles, which is part of what a member means. */
const orderSeed = 0;

/** Checks the processes of a file. @throws KernelInputError naming what does not fit. */
export function parseProcess(value: unknown, inputs: readonly string[], targets: readonly string[]): GpModel {
  const model = parseGpModel(value);
  if (model.dimension !== inputs.length) {
    throw new KernelInputError('process.dimension', `${inputs.length}`, model.dimension);
  }
  if (model.outputs.length === targets.length) return model;
  throw new KernelInputError('process.outputs', `${targets.length} targets`, model.outputs.length);
}

/**
 * A process for each target; `std` is that of a new observation, noise included. Where something needs members (Thompson sampling, one number
 * made of several targets), member m says mean + z_m·std for each target: the 64 numbers z are the mid-quantiles of the normal
 * distribution, scaled to a mean square of 1, and each target takes them in an order of its own (a Latin hypercube). So members have
 * at every point the mean, the spread and the shape of what is predicted there, and targets are independent, as the processes are. What
 * they lack is how points vary together: a member is high everywhere or low everywhere, where a sample of the process would wind around the
 * mean. Thompson sampling therefore goes by an upper confidence bound whose width is drawn at random.
 */
export function gpPredictor(kernels: WebAssembly.Module, process: GpModel, inputs: InputStatistics): Predictor {
  const predictor = new GpPredictor(kernels, process);
  const outputs = process.outputs.length;
  const z = Array.from({ length: outputs }, (_, k) => quantiles(k));
  return {
    size: gpMembers,
    inputs,
    predict(x, rows) {
      const { mean, std } = predictor.predict(x, rows, true);
      const memberOf = (m: number): Float64Array =>
        mean.map((centre, i) => centre + (z[i % outputs]?.[m] ?? 0) * (std[i] ?? 0));
      return { mean, std, members: once(() => Array.from({ length: gpMembers }, (_, m) => memberOf(m))) };
    },
  };
}

/** The mid-quantiles in the order of target k. */
function quantiles(k: number): number[] {
  const z = Array.from({ length: gpMembers }, (_, m) => normalQuantile((m + 0.5) / gpMembers));
  const scale = Math.sqrt(z.reduce((sum, value) => sum + value * value, 0) / gpMembers);
  const order = Uint32Array.from({ length: gpMembers }, (_, m) => m);
  new Rng(orderSeed, k).shuffle(order);
  return [...order].map((m) => (z[m] ?? 0) / scale);
}
