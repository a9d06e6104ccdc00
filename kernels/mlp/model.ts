import {
  KernelInputError,
  decodeBase64,
  encodeBase64,
  requireChoice,
  requireFiniteArray,
  requireInteger,
  requireNumber,
  requireRecord,
} from '../runtime/index.ts';
import { LIMITS } from './contract.ts';
import { ACTIVATIONS } from './options.ts';
import type { Activation } from './options.ts';
import type { Scaling } from './data.ts';
import { parameterCount } from './layers.ts';

/** A trained network as JSON: all that is needed to predict in original units. */
export interface MlpModel {
  readonly format: 'tabgrid-mlp';
  readonly version: 1;
  readonly activation: Activation;
  /** Widths D, hidden …, K. */
  readonly layers: number[];
  /** A row is standardised before it goes in: (x − mean)/scale. */
  readonly inputs: { readonly mean: number[]; readonly scale: number[] };
  /** What comes out is scaled back: mean + scale·ŷ. */
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

export function makeModel(
  parts: Pick<MlpModel, 'activation' | 'layers' | 'training'>,
  inputs: Scaling,
  outputs: Scaling,
  parameters: Float32Array,
): MlpModel {
  const { activation, layers, training } = parts;
  return {
    format: 'tabgrid-mlp',
    version: 1,
    activation,
    layers,
    inputs: plainScaling(inputs),
    outputs: plainScaling(outputs),
    weights: encodeBase64(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength)),
    training,
  };
}

/** Parameters of a model in plain form. */
export function modelParameters(model: MlpModel): Float32Array {
  const count = parameterCount('layers', model.layers);
  const parameters = new Float32Array(decodeBase64('weights', model.weights, 4 * count).slice().buffer);
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

function parseLayers(value: unknown): number[] {
  if (!Array.isArray(value) || value.length < 2 || value.length > LIMITS.hiddenLayers + 2) {
    throw new KernelInputError('layers', `2 to ${LIMITS.hiddenLayers + 2} widths`, value);
  }
  return value.map((width: unknown, i) => requireInteger(`layers[${i}]`, width, { min: 1, max: LIMITS.width }));
}

function parseTraining(value: unknown): MlpModel['training'] {
  const record = requireRecord('training', value);
  const loss = (name: string): number => requireNumber(`training.${name}`, record[name], { min: 0 });
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

/** Checks a model that came from a file. @throws KernelInputError naming the field. */
export function parseMlpModel(value: unknown): MlpModel {
  const record = requireRecord('model', value);
  if (record.format !== 'tabgrid-mlp') throw new KernelInputError('format', 'tabgrid-mlp', record.format);
  if (record.version !== 1) throw new KernelInputError('version', '1', record.version);
  const layers = parseLayers(record.layers);
  if (typeof record.weights !== 'string') throw new KernelInputError('weights', 'base64', record.weights);
  const model: MlpModel = {
    format: 'tabgrid-mlp',
    version: 1,
    activation: requireChoice('activation', record.activation, ACTIVATIONS),
    layers,
    inputs: parseScaling('inputs', record.inputs, layers[0] ?? 0),
    outputs: parseScaling('outputs', record.outputs, layers.at(-1) ?? 0),
    weights: record.weights,
    training: parseTraining(record.training),
  };
  modelParameters(model);
  return model;
}
