import { packRecords } from '../../gpu/index.ts';
import type { Word } from '../../gpu/index.ts';
import type { TrainingSet } from '../contract.ts';
import { ACTIVATION_CODES } from '../exports.ts';
import { layerShapes, parameterCount } from '../layers.ts';
import type { Activation, CheckedMlpOptions } from '../options.ts';

/** Rows for which the scratch has room at least: validation gains nothing from more. */
const MIN_CAPACITY = 64;

/** Layers that `Shape` in network.wgsl has room for, the one that names the outputs included. */
const SHAPE_LAYERS = 18;

/** Sizes of the buffers of a group of networks with equal widths D, hidden …, K; numbers are f32. */
export interface NetworkLayout {
  readonly widths: readonly number[];
  /** Parameters of one member. */
  readonly parameters: number;
  /** Numbers of one member in `arenas` and `scratch`. */
  readonly arenaStride: number;
  readonly scratchStride: number;
  /** The uniform `Shape`. */
  readonly shape: ArrayBuffer;
}

/** @param arenas of parameters that a member has: 1, or 4 in training; @param capacity rows of the largest batch */
export function networkLayout(
  widths: readonly number[],
  activation: Activation,
  arenas: number,
  capacity: number,
): NetworkLayout {
  const parameters = parameterCount('hidden', widths);
  const places: number[] = [];
  let deltas = 0;
  for (const width of widths) {
    places.push(deltas);
    deltas += width * capacity;
  }
  const arenaStride = arenas * parameters;
  const scratchStride = arenas === 1 ? deltas : 2 * deltas;
  const depth = widths.length - 1;
  const tableStride = (widths[0] ?? 0) + (widths.at(-1) ?? 0);
  const head = [
    depth,
    ACTIVATION_CODES[activation],
    parameters,
    arenaStride,
    scratchStride,
    deltas,
    tableStride,
    capacity,
  ];
  const layers = layerShapes(widths).map(({ inputs, outputs, weights }, l) => [
    inputs,
    outputs,
    weights,
    places[l] ?? 0,
  ]);
  const end = [widths.at(-1) ?? 0, 0, 0, places.at(-1) ?? 0];
  const numbers = [...head, ...layers.flat(), ...end];
  const padding = Array.from({ length: 8 + 4 * SHAPE_LAYERS - numbers.length }, () => 0);
  const words: Word[] = [...numbers, ...padding].map((u32) => ({ u32 }));
  return { widths, parameters, arenaStride, scratchStride, shape: packRecords([words]) };
}

/** What training adds. */
export interface Layout extends NetworkLayout {
  readonly capacity: number;
  readonly arenasBytes: number;
  readonly scratchBytes: number;
  /** When every member has a split of its own. */
  readonly maxTablesBytes: number;
}

/** Arenas of a member in training: parameters, first and second moment, best parameters. */
export const TRAINING_ARENAS = 4;

/** @param members with equal widths and activation */
export function layoutOf(data: TrainingSet, members: readonly CheckedMlpOptions[]): Layout {
  const [first] = members;
  if (first === undefined) throw new Error('a group has members');
  const widths = [data.dimension, ...first.hidden, data.outputs];
  const batches = members.map(({ batchSize }) => Math.min(batchSize, data.rows));
  const capacity = Math.max(MIN_CAPACITY, ...batches);
  const network = networkLayout(widths, first.activation, TRAINING_ARENAS, capacity);
  return {
    ...network,
    capacity,
    arenasBytes: 4 * network.arenaStride * members.length,
    scratchBytes: 4 * network.scratchStride * members.length,
    maxTablesBytes: 4 * data.rows * (data.dimension + data.outputs) * members.length,
  };
}
