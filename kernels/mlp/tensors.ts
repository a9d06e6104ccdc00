import { KernelInputError, encodeBase64, readSafetensors, requireRecord, writeSafetensors } from '../runtime/index.ts';
import type { Tensor } from '../runtime/index.ts';
import { layerShapes } from './layers.ts';
import { modelParameters, parseLayers, parseMlpModel, targetCount } from './model.ts';
import type { MlpModel } from './model.ts';

/** Where the metadata keeps what is no tensor. */
const KEY = 'tabgrid_mlp';
const VERSION = 1;

/** Of a model, what its tensors do not say. */
type Remainder = Omit<MlpModel, 'inputs' | 'outputs' | 'weights'>;

/** Several models share a file as the members of an ensemble; one has it for itself. */
const prefixOf = (member: number, members: number): string => (members === 1 ? '' : `members.${member}.`);

/** The other way round: rows×columns → columns×rows. */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = values[i * columns + j] ?? 0;
  }
  return out;
}

function addModel(tensors: Map<string, Tensor>, prefix: string, model: MlpModel): void {
  for (const side of ['inputs', 'outputs'] as const) {
    for (const part of ['mean', 'scale'] as const) {
      const data = Float64Array.from(model[side][part]);
      tensors.set(`${prefix}${side}.${part}`, { shape: [data.length], data });
    }
  }
  const parameters = modelParameters(model);
  layerShapes(model.layers).forEach(({ inputs, outputs, weights, bias }, l) => {
    const data = transpose(parameters.subarray(weights, bias), inputs, outputs);
    tensors.set(`${prefix}layers.${l}.weight`, { shape: [outputs, inputs], data });
    tensors.set(`${prefix}layers.${l}.bias`, { shape: [outputs], data: parameters.slice(bias, bias + outputs) });
  });
}

/**
 * One model or an ensemble as a safetensors file. Layer l, from 0, has PyTorch's names and shapes, `layers.l.weight` (outputs × inputs) and
 * `layers.l.bias`, f32; standardisation is `inputs.mean`, `inputs.scale`, `outputs.mean` and `outputs.scale`, f64. In an ensemble of several
 * each name has the prefix `members.m.`. All else is JSON in the metadata.
 *
 * @param metadata further strings to keep in the file
 * @throws KernelInputError when there is no model, or one does not fit
 */
export function writeMlpSafetensors(models: readonly MlpModel[], metadata: Record<string, string> = {}): Uint8Array {
  if (models.length === 0) throw new KernelInputError('models', 'at least one model', models);
  const tensors = new Map<string, Tensor>();
  const members = models.map((model, m): Remainder => {
    const { inputs, outputs, weights, ...remainder } = parseMlpModel(model);
    addModel(tensors, prefixOf(m, models.length), { ...remainder, inputs, outputs, weights });
    return remainder;
  });
  return writeSafetensors({ tensors, metadata: { ...metadata, [KEY]: JSON.stringify({ version: VERSION, members }) } });
}

function take(
  tensors: Map<string, Tensor>,
  name: string,
  shape: readonly number[],
  kind: 'F32' | 'F64',
): Tensor['data'] {
  const tensor = tensors.get(name);
  tensors.delete(name);
  const fits = tensor?.shape.join() === shape.join() && tensor.data instanceof Float64Array === (kind === 'F64');
  if (tensor === undefined || !fits) throw new KernelInputError(name, `${kind} of ${shape.join('×')}`, tensor?.shape);
  return tensor.data;
}

function takeModel(tensors: Map<string, Tensor>, prefix: string, remainder: Record<string, unknown>): MlpModel {
  const layers = parseLayers(remainder.layers);
  const loss = remainder.loss === 'gaussian_nll' || remainder.loss === 'log_loss' ? remainder.loss : 'squared_error';
  const scaling = (side: string, length: number): { mean: number[]; scale: number[] } => ({
    mean: [...take(tensors, `${prefix}${side}.mean`, [length], 'F64')],
    scale: [...take(tensors, `${prefix}${side}.scale`, [length], 'F64')],
  });
  const inputs = scaling('inputs', layers[0] ?? 0);
  const outputs = scaling('outputs', targetCount({ layers, loss }));
  const pieces = layerShapes(layers).flatMap((layer, l) => {
    const weight = take(tensors, `${prefix}layers.${l}.weight`, [layer.outputs, layer.inputs], 'F32');
    const bias = take(tensors, `${prefix}layers.${l}.bias`, [layer.outputs], 'F32');
    return [transpose(Float32Array.from(weight), layer.outputs, layer.inputs), bias];
  });
  const parameters = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let place = 0;
  for (const piece of pieces) {
    parameters.set(piece, place);
    place += piece.length;
  }
  return parseMlpModel({ ...remainder, inputs, outputs, weights: encodeBase64(parameters) });
}

/**
 * Reads what `writeMlpSafetensors` wrote.
 *
 * @returns the models in order, and the further metadata
 * @throws KernelInputError as `readSafetensors`; naming the tensor that is missing, has another shape or type, or is not known
 */
export function readMlpSafetensors(bytes: Uint8Array): { models: MlpModel[]; metadata: Record<string, string> } {
  const file = readSafetensors(bytes);
  const { [KEY]: text, ...metadata } = file.metadata;
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    throw new KernelInputError(`__metadata__.${KEY}`, 'JSON', text);
  }
  const { version, members } = requireRecord(`__metadata__.${KEY}`, value);
  if (version !== VERSION) throw new KernelInputError(`__metadata__.${KEY}.version`, String(VERSION), version);
  if (!Array.isArray(members) || members.length === 0) {
    throw new KernelInputError(`__metadata__.${KEY}.members`, 'a list of models', members);
  }
  const tensors = new Map(file.tensors);
  const models = members.map((member: unknown, m) =>
    takeModel(tensors, prefixOf(m, members.length), requireRecord(`__metadata__.${KEY}.members[${m}]`, member)),
  );
  const [unknown] = tensors.keys();
  if (unknown !== undefined) throw new KernelInputError(unknown, 'no further tensor', unknown);
  return { models, metadata };
}
