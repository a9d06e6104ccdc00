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
import { COVARIANCES, LIMITS, MEANS, checkTrainingSet } from './contract.ts';
import type { Covariance, GpOptions, Hyperparameters, TrainingSet } from './contract.ts';

/** The process of one target, in scaled units. */
export interface OutputModel extends Hyperparameters {
  /** What had to be added to the diagonal, beyond the noise, for a Cholesky factor to exist; usually 0. */
  readonly jitter: number;
  /** log p(y|X) */
  readonly logMarginalLikelihood: number;
}

/**
 * Trained processes as JSON: the training rows and the hyper-parameters. The scalings, the Cholesky factors and α follow from
 * these and are computed again by whoever predicts: N³/3 operations once, instead of 8·N² bytes for each target.
 */
export interface GpModel {
  readonly format: 'tabgrid-gp';
  readonly version: 1;
  readonly covariance: Covariance;
  readonly mean: GpOptions['mean'];
  /** N */
  readonly rows: number;
  /** D */
  readonly dimension: number;
  /** base64 of little-endian f64, N×D row-major, in original units. */
  readonly inputs: string;
  /** base64 of little-endian f64, N×K row-major, in original units. */
  readonly targets: string;
  /** One for each target. */
  readonly outputs: readonly OutputModel[];
}

export function makeModel(
  data: TrainingSet,
  { covariance, mean }: Pick<GpOptions, 'covariance' | 'mean'>,
  outputs: readonly OutputModel[],
): GpModel {
  return {
    format: 'tabgrid-gp',
    version: 1,
    covariance,
    mean,
    rows: data.rows,
    dimension: data.dimension,
    inputs: encodeBase64(data.inputs),
    targets: encodeBase64(data.targets),
    outputs,
  };
}

const decode = (field: string, text: string, count: number): Float64Array =>
  new Float64Array(decodeBase64(field, text, 8 * count).buffer);

/** The training rows of a model. @throws KernelInputError naming the field that does not fit. */
export function modelData({ rows, dimension, inputs, targets, outputs }: GpModel): TrainingSet {
  return checkTrainingSet({
    inputs: decode('inputs', inputs, rows * dimension),
    targets: decode('targets', targets, rows * outputs.length),
    rows,
    dimension,
    outputs: outputs.length,
  });
}

function parseOutput(field: string, value: unknown, dimension: number): OutputModel {
  const record = requireRecord(field, value);
  const positive = (name: string, entry: unknown): number =>
    requireNumber(`${field}.${name}`, entry, { min: 1e-12, max: 1e12 });
  const lengths = record.lengthScales;
  if (!Array.isArray(lengths)) throw new KernelInputError(`${field}.lengthScales`, `${dimension} numbers`, lengths);
  requireFiniteArray(`${field}.lengthScales`, lengths as number[], dimension);
  return {
    signalVariance: positive('signalVariance', record.signalVariance),
    noiseVariance: positive('noiseVariance', record.noiseVariance),
    lengthScales: lengths.map((entry: unknown, d) => positive(`lengthScales[${d}]`, entry)),
    jitter: requireNumber(`${field}.jitter`, record.jitter, { min: 0 }),
    logMarginalLikelihood: requireNumber(`${field}.logMarginalLikelihood`, record.logMarginalLikelihood),
  };
}

/** Checks a model that came from a file. @throws KernelInputError naming the field. */
export function parseGpModel(value: unknown): GpModel {
  const record = requireRecord('model', value);
  if (record.format !== 'tabgrid-gp') throw new KernelInputError('format', 'tabgrid-gp', record.format);
  if (record.version !== 1) throw new KernelInputError('version', '1', record.version);
  const dimension = requireInteger('dimension', record.dimension, { min: 1, max: LIMITS.dimension });
  const { outputs } = record;
  if (!Array.isArray(outputs) || outputs.length < 1 || outputs.length > LIMITS.outputs) {
    throw new KernelInputError('outputs', `1 to ${LIMITS.outputs} targets`, outputs);
  }
  const model: GpModel = {
    format: 'tabgrid-gp',
    version: 1,
    covariance: requireChoice('covariance', record.covariance, COVARIANCES),
    mean: requireChoice('mean', record.mean, MEANS),
    rows: requireInteger('rows', record.rows, { min: 1, max: LIMITS.rows }),
    dimension,
    inputs: requireText('inputs', record.inputs, 'base64'),
    targets: requireText('targets', record.targets, 'base64'),
    outputs: outputs.map((output: unknown, k) => parseOutput(`outputs[${k}]`, output, dimension)),
  };
  modelData(model);
  return model;
}
