import type { MlpModel } from '../../mlp/index.ts';
import { ACTIVATION_CODES } from '../../mlp/exports.ts';
import { layerShapes } from '../../mlp/layers.ts';
import { modelParameters } from '../../mlp/model.ts';

/** An ensemble as ensemble.wgsl reads it: a description of integers, and the numbers that it points into. */
export interface PackedEnsemble {
  readonly description: number[];
  readonly network: Float32Array<ArrayBuffer>;
  /** Widest layer, inputs included; 0 when there is no model. */
  readonly width: number;
}

export function packEnsemble(models: readonly MlpModel[]): PackedEnsemble {
  const description = [models.length];
  const parts: ArrayLike<number>[] = [];
  let place = 0;
  const put = (numbers: ArrayLike<number>): number => {
    parts.push(numbers);
    place += numbers.length;
    return place - numbers.length;
  };
  for (const model of models) {
    const { inputs, outputs, layers } = model;
    const scaling = put([...inputs.mean, ...inputs.scale, outputs.mean[0] ?? 0, outputs.scale[0] ?? 1]);
    const weights = put(modelParameters(model));
    description.push(ACTIVATION_CODES[model.activation], layers.length - 1, scaling);
    for (const layer of layerShapes(layers)) description.push(layer.inputs, layer.outputs, weights + layer.weights);
  }
  const network = new Float32Array(Math.max(1, place));
  let at = 0;
  for (const part of parts) {
    network.set(part, at);
    at += part.length;
  }
  return { description, network, width: Math.max(0, ...models.flatMap(({ layers }) => layers)) };
}
