import type { TrainingSet } from './contract.ts';
import type { ScaledRows } from './process.ts';
import { boxScaling, scaled, standardScaling } from './scaling.ts';
import type { Scaling } from './scaling.ts';

export interface ScaledTarget {
  readonly values: Float64Array;
  /** Target in original units: offset + scale·value. */
  readonly offset: number;
  readonly scale: number;
  readonly varies: boolean;
}

/** A training set in scaled units, and the way back. */
export interface ScaledTable extends ScaledRows {
  readonly box: Scaling;
  /** One for each output. */
  readonly targets: readonly ScaledTarget[];
}

export function scaleTable({ inputs, targets, rows, dimension, outputs }: TrainingSet): ScaledTable {
  const box = boxScaling(inputs, dimension);
  const standard = standardScaling(targets, outputs);
  return {
    inputs: inputs.map((value, i) => scaled(value, box, i % dimension)),
    rows,
    dimension,
    box,
    targets: Array.from({ length: outputs }, (_, k) => ({
      values: Float64Array.from({ length: rows }, (__, row) => scaled(targets[row * outputs + k] ?? 0, standard, k)),
      offset: standard.offset[k] ?? 0,
      scale: standard.scale[k] ?? 1,
      varies: standard.varies[k] ?? false,
    })),
  };
}
