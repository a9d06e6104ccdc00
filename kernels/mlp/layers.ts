import { KernelInputError } from '../runtime/index.ts';
import { Rng } from '../rng/index.ts';
import { LIMITS } from './limits.ts';
import type { Activation } from './options.ts';

/** Stream of the seed that initial weights come from; the validation rows have 1, epoch e (from 0) shuffles with 2 + e. */
const WEIGHT_STREAM = 0;

/** A weight layer with the place of its parameters in the plain form: W[inputs×outputs] row-major, then b[outputs]. */
export interface LayerShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: number;
  readonly bias: number;
  readonly isLast: boolean;
}

/** The weight layers between `widths` (D, hidden …, K). */
export function layerShapes(widths: readonly number[]): LayerShape[] {
  let next = 0;
  return widths.slice(1).map((outputs, index) => {
    const inputs = widths[index] ?? 0;
    const weights = next;
    const bias = weights + inputs * outputs;
    next = bias + outputs;
    return { inputs, outputs, weights, bias, isLast: index === widths.length - 2 };
  });
}

/** @throws KernelInputError naming `field` when there are too many parameters. */
export function parameterCount(field: string, widths: readonly number[]): number {
  const count = layerShapes(widths).reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0);
  if (count > LIMITS.parameters) throw new KernelInputError(field, `at most ${LIMITS.parameters} parameters`, count);
  return count;
}

/**
 * Parameters to start from, in plain form. Before ReLU and GELU: normal with variance 2/fan-in (He et al. 2015, eq. 10). Before tanh
 * and the linear output: uniform with variance 2/(fan-in + fan-out) (Glorot & Bengio 2010, eq. 16). Biases are 0.
 */
export function initialParameters(widths: readonly number[], activation: Activation, seed: number): Float32Array {
  const rng = new Rng(seed, WEIGHT_STREAM);
  const parameters = new Float32Array(parameterCount('hidden', widths));
  for (const { inputs, outputs, weights, bias, isLast } of layerShapes(widths)) {
    const heScale = Math.sqrt(2 / inputs);
    const glorotLimit = Math.sqrt(6 / (inputs + outputs));
    for (let i = weights; i < bias; i++) {
      const isHe = activation !== 'tanh' && !isLast;
      parameters[i] = isHe ? heScale * rng.normal() : glorotLimit * (2 * rng.uniform() - 1);
    }
  }
  return parameters;
}
