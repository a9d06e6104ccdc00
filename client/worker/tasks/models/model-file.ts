import { KernelInputError } from '#kernels';
import { readMlpSafetensors, writeMlpSafetensors, type MlpModel } from '#kernels/mlp';
import { isSafetensors, requireFiniteArray, requireRecord } from '#kernels/runtime';
import type { Kwargs, Result } from '#catalog';
import { parseMembers } from './mlp.ts';

/** The options of `train_surrogate` that made a model. */
export type TrainingRecord = Pick<
  Kwargs<'train_surrogate'>,
  | 'hidden'
  | 'activation'
  | 'epochs'
  | 'batch_size'
  | 'learning_rate'
  | 'weight_decay'
  | 'solver'
  | 'schedule'
  | 'dropout'
  | 'loss'
  | 'beta'
  | 'validation_fraction'
  | 'patience'
  | 'seed'
> & {
  /** Rows that the members learnt from. */
  readonly rows: number;
};

/** The model itself. */
export interface ModelContent {
  readonly kind: 'mlp';
  readonly members: readonly MlpModel[];
}

/** What a file tells of a model beside the model. docs/models.md describes each member. */
export interface ModelDescription {
  /** Names of the columns that go in, in order … */
  readonly inputs: readonly string[];
  /** … and of those that come out. */
  readonly targets: readonly string[];
  readonly calibration: {
    /** For each target, by how much the predicted spread must be multiplied to be a standard deviation. */
    readonly std_scale: readonly number[];
    /** Half the widths of intervals that hold 50, 90 and 95 %, in such standard deviations; see `calibration` of the task’s result. */
    readonly conformal: NonNullable<Result<'train_surrogate'>['calibration']>['conformal']['factors'] | null;
  };
  readonly training: TrainingRecord;
  readonly validation: Result<'train_surrogate'>['validation'];
  /** sha-256 of the kernel binary that trained it. */
  readonly kernel_digest: string;
}

/** The parts of a model file that predictions need. */
export type UsableModel = Pick<ModelDescription, 'inputs' | 'targets'> & {
  readonly content: ModelContent;
  readonly stdScale: readonly number[];
};

/** Where the metadata of a safetensors file has all but the members. */
const metadataKey = 'tabgrid_ensemble';

/** As safetensors where the path says so, else as JSON. */
export function encodeModel(
  path: string,
  { members }: ModelContent,
  { inputs, targets, ...rest }: ModelDescription,
): { bytes: Uint8Array; contentType: string } {
  const head = { format: 'tabgrid-ensemble', version: 1, inputs, targets };
  if (!path.endsWith('.safetensors')) {
    const text = `${JSON.stringify({ ...head, members, ...rest })}\n`;
    return { bytes: new TextEncoder().encode(text), contentType: 'application/json' };
  }
  const bytes = writeMlpSafetensors(members, { [metadataKey]: JSON.stringify({ ...head, ...rest }) });
  return { bytes, contentType: 'application/octet-stream' };
}

function parseJson(field: string, text: () => string | undefined): unknown {
  try {
    return JSON.parse(text() ?? '');
  } catch {
    throw new KernelInputError(field, 'JSON', undefined);
  }
}

/** The content of a file of either kind, whose members are still to be checked. */
function contentOf(bytes: Uint8Array): Record<string, unknown> {
  if (!isSafetensors(bytes)) {
    const text = (): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return requireRecord('model', parseJson('model', text));
  }
  const { models, metadata } = readMlpSafetensors(bytes);
  const field = `__metadata__.${metadataKey}`;
  return {
    ...requireRecord(
      field,
      parseJson(field, () => metadata[metadataKey]),
    ),
    members: models,
  };
}

/** Reads a model file of either kind. @throws KernelInputError naming the member of the file that does not fit. */
export function decodeModel(bytes: Uint8Array): UsableModel {
  const record = contentOf(bytes);
  if (record.format !== 'tabgrid-ensemble') throw new KernelInputError('format', '"tabgrid-ensemble"', record.format);
  if (record.version !== 1) throw new KernelInputError('version', '1', record.version);
  const inputs = names('inputs', record.inputs);
  const targets = names('targets', record.targets);
  const members = parseMembers(record.members, inputs, targets);
  const { std_scale: stdScale } = requireRecord('calibration', record.calibration);
  if (!Array.isArray(stdScale)) throw new KernelInputError('calibration.std_scale', 'a list of numbers', stdScale);
  return {
    inputs,
    targets,
    content: { kind: 'mlp', members },
    stdScale: requireFiniteArray('calibration.std_scale', stdScale, targets.length),
  };
}

function names(field: string, value: unknown): string[] {
  const isNames = Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string');
  if (isNames) return value;
  throw new KernelInputError(field, 'a list of column names', value);
}
