import {
  KernelInputError,
  decodeBase64,
  encodeBase64,
  requireChoice,
  requireFiniteArray,
  requireInteger,
  requireNumber,
  requireRecord,
  requireText,
} from '../runtime/index.ts';
import { LIMITS } from './limits.ts';
import { ACTIVATIONS, LOSSES } from './options.ts';
import type { Activation, Loss } from './options.ts';
import type { Scaling } from './data.ts';
import { parameterCount } from './layers.ts';

/**
 * A trained network as JSON: all that is needed to predict in original units. Version 1 has no `loss`, which is then
 * `squared_error`, and no `gelu`; a model that it can hold is still written in it, so that older readers go on.
 */
export interface MlpModel {
  readonly format: 'tabgrid-mlp';
  readonly version: 1 | 2;
  readonly activation: Activation;
  /** What the outputs mean: values; means, then log-variances; or the logits of classes. */
  readonly loss?: Loss;
  /** Widths D, hidden …, outputs: K, 2K with `gaussian_nll`, the number of classes with `log_loss`. */
  readonly layers: number[];
  /** A row is standardised before it goes in: (x − mean)/scale. */
  readonly inputs: { readonly mean: number[]; readonly scale: number[] };
  /** Values and means are scaled back: mean + scale·ŷ; variances by scale². One of each for a target; 0 and 1 for classes. */
  readonly outputs: { readonly mean: number[]; readonly scale: number[] };
  /** base64 of little-endian f32: for each layer W[inputs×outputs] row-major, then b[outputs]. */
  readonly weights: string;
  readonly training: {
    readonly rows: number;
    readonly validationRows: number;
    /** Epochs that were run, and the one whose weights these are. */
    readonly epochs: number;
    readonly bestEpoch: number;
    /** Losses of `bestEpoch`; see EpochReport. */
    readonly trainLoss: number;
    readonly validationLoss: number | null;
  };
}

const plainScaling = ({ mean, scale }: Scaling): MlpModel['inputs'] => ({ mean: [...mean], scale: [...scale] });

/** The loss that a model was trained for. */
export const lossOf = ({ loss }: Pick<MlpModel, 'loss'>): Loss => loss ?? 'squared_error';

/** K, the targets of a row. */
export function targetCount({ layers, loss }: Pick<MlpModel, 'layers' | 'loss'>): number {
  const outputs = layers.at(-1) ?? 0;
  if (loss === 'log_loss') return 1;
  return loss === 'gaussian_nll' ? outputs / 2 : outputs;
}

/** The oldest version of the format that can say it. */
const isVersion1 = ({ activation, loss }: Pick<MlpModel, 'activation' | 'loss'>): boolean =>
  activation !== 'gelu' && (loss ?? 'squared_error') === 'squared_error';

export function makeModel(
  parts: Pick<MlpModel, 'activation' | 'layers' | 'training'> & { readonly loss: Loss },
  inputs: Scaling,
  outputs: Scaling,
  parameters: Float32Array,
): MlpModel {
  const { activation, loss, layers, training } = parts;
  return {
    format: 'tabgrid-mlp',
    ...(isVersion1(parts) ? { version: 1, activation } : { version: 2, activation, loss }),
    layers,
    inputs: plainScaling(inputs),
    outputs: plainScaling(outputs),
    weights: encodeBase64(parameters),
    training,
  };
}

/** Parameters of a model in plain form. */
export function modelParameters(model: MlpModel): Float32Array {
  const count = parameterCount('layers', model.layers);
  const parameters = new Float32Array(decodeBase64('weights', model.weights, 4 * count).buffer);
  return requireFiniteArray('weights', parameters, count);
}

function parseNumbers(field: string, value: unknown, length: number): number[] {
  if (!Array.isArray(value)) throw new KernelInputError(field, `${length} numbers`, value);
  return [...requireFiniteArray(field, value as number[], length)];
}

function parseScaling(field: string, value: unknown, length: number): MlpModel['inputs'] {
  const record = requireRecord(field, value);
  const scale = parseNumbers(`${field}.scale`, record.scale, length);
  scale.forEach((entry, i) => requireNumber(`${field}.scale[${i}]`, entry, { min: 0, above: true }));
  return { mean: parseNumbers(`${field}.mean`, record.mean, length), scale };
}

export function parseLayers(value: unknown): number[] {
  if (!Array.isArray(value) || value.length < 2 || value.length > LIMITS.hiddenLayers + 2) {
    throw new KernelInputError('layers', `2 to ${LIMITS.hiddenLayers + 2} widths`, value);
  }
  return value.map((width: unknown, i) => requireInteger(`layers[${i}]`, width, { min: 1, max: LIMITS.width }));
}

function parseTraining(value: unknown): MlpModel['training'] {
  const record = requireRecord('training', value);
  const loss = (name: string): number => requireNumber(`training.${name}`, record[name]);
  const count = (name: string): number => requireInteger(`training.${name}`, record[name], { min: 0 });
  return {
    rows: count('rows'),
    validationRows: count('validationRows'),
    epochs: count('epochs'),
    bestEpoch: count('bestEpoch'),
    trainLoss: loss('trainLoss'),
    validationLoss: record.validationLoss === null ? null : loss('validationLoss'),
  };
}

function parseMeaning(record: Record<string, unknown>): Pick<MlpModel, 'version' | 'activation' | 'loss'> {
  const { version } = record;
  if (version === 1) {
    return { version, activation: requireChoice('activation', record.activation, ['relu', 'tanh']) };
  }
  if (version !== 2) throw new KernelInputError('version', '1 or 2', version);
  const activation = requireChoice('activation', record.activation, ACTIVATIONS);
  return { version, activation, loss: requireChoice('loss', record.loss, LOSSES) };
}

/** Checks a model that came from a file. @throws KernelInputError naming the field. */
export function parseMlpModel(value: unknown): MlpModel {
  const record = requireRecord('model', value);
  if (record.format !== 'tabgrid-mlp') throw new KernelInputError('format', 'tabgrid-mlp', record.format);
  const meaning = parseMeaning(record);
  const layers = parseLayers(record.layers);
  const targets = targetCount({ layers, ...meaning });
  if (!Number.isInteger(targets)) throw new KernelInputError('layers', 'an even number of outputs', layers);
  if (meaning.loss === 'log_loss' && layers.at(-1) === 1) throw new KernelInputError('layers', 'two classes', layers);
  const model: MlpModel = {
    format: 'tabgrid-mlp',
    ...meaning,
    layers,
    inputs: parseScaling('inputs', record.inputs, layers[0] ?? 0),
    outputs: parseScaling('outputs', record.outputs, targets),
    weights: requireText('weights', record.weights, 'base64'),
    training: parseTraining(record.training),
  };
  modelParameters(model);
  return model;
}
