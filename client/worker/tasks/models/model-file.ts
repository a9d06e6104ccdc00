import { KernelInputError } from '#kernels';
import type { ForestModel } from '#kernels/forest';
import type { GpModel } from '#kernels/gp';
import { readMlpSafetensors, writeMlpSafetensors, type MlpModel } from '#kernels/mlp';
import { isSafetensors, requireChoice, requireFiniteArray, requireRecord } from '#kernels/runtime';
import type { Kwargs, Result } from '#catalog';
import { parseForests } from './forest.ts';
import { parseProcess } from './gp.ts';
import { parseMembers } from './mlp.ts';
import type { InputStatistics } from './predictor.ts';

/** The arguments of one kind of model. */
export type KwargsOf<Kind extends Kwargs<'train_surrogate'>['kind']> = Extract<
  Kwargs<'train_surrogate'>,
  { kind: Kind }
>;

/** Without what says where rows come from and where the model goes. */
type OptionsOf<Kind extends Kwargs<'train_surrogate'>['kind']> = Omit<
  KwargsOf<Kind>,
  'kind' | 'dataset_path' | 'rows' | 'inputs' | 'targets' | 'members' | 'model_path'
>;

/** The options of `train_surrogate` that made a model. */
export type TrainingOptions = OptionsOf<'mlp'> | OptionsOf<'forest'> | OptionsOf<'gp'>;

/** The model itself; see `docs/models.md`. */
export type ModelContent =
  | { readonly kind: 'mlp'; readonly members: readonly MlpModel[] }
  /** A forest for each target. */
  | { readonly kind: 'forest'; readonly inputs: InputStatistics; readonly forests: readonly ForestModel[] }
  /** All targets’ processes. */
  | { readonly kind: 'gp'; readonly inputs: InputStatistics; readonly process: GpModel };

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
  /** With the rows that it learnt from. */
  readonly training: TrainingOptions & { readonly rows: number };
  readonly validation: Result<'train_surrogate'>['validation'];
  /** sha-256 of the kernel binary that trained it. */
  readonly kernel_digest: string;
}

/** The parts of a model file that predictions need. */
export type UsableModel = Pick<ModelDescription, 'inputs' | 'targets'> & {
  readonly content: ModelContent;
  readonly stdScale: readonly number[];
};

const ensembleFormat = 'tabgrid-ensemble';
const surrogateFormat = 'tabgrid-surrogate';
/** Where the metadata of a safetensors file has all but the members. */
const metadataKey = 'tabgrid_ensemble';

/**
 * As safetensors where the path says so, else as JSON.
 *
 * @throws KernelInputError when only JSON has room for such a model.
 */
export function encodeModel(
  path: string,
  content: ModelContent,
  { inputs, targets, ...rest }: ModelDescription,
): { bytes: Uint8Array; contentType: string } {
  const asTensors = path.endsWith('.safetensors');
  if (content.kind === 'mlp') {
    const head = { format: ensembleFormat, version: 1, inputs, targets };
    if (!asTensors) return json({ ...head, members: content.members, ...rest });
    const bytes = writeMlpSafetensors(content.members, { [metadataKey]: JSON.stringify({ ...head, ...rest }) });
    return { bytes, contentType: 'application/octet-stream' };
  }
  if (asTensors) throw new KernelInputError('model_path', 'no .safetensors file: only perceptrons fit one', path);
  const { kind, inputs: input_statistics, ...model } = content;
  return json({ format: surrogateFormat, version: 1, kind, inputs, targets, input_statistics, ...model, ...rest });
}

function json(record: object): { bytes: Uint8Array; contentType: string } {
  return { bytes: new TextEncoder().encode(`${JSON.stringify(record)}\n`), contentType: 'application/json' };
}

function parseJson(field: string, text: () => string | undefined): unknown {
  try {
    return JSON.parse(text() ?? '');
  } catch {
    throw new KernelInputError(field, 'JSON', undefined);
  }
}

/** The content of a file of either kind, whose content is still to be checked. */
function recordOf(bytes: Uint8Array): Record<string, unknown> {
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

/** Reads a model file of any kind. @throws KernelInputError naming the member of the file that does not fit. */
export function decodeModel(bytes: Uint8Array): UsableModel {
  const record = recordOf(bytes);
  const format = requireChoice('format', record.format, [ensembleFormat, surrogateFormat]);
  if (record.version !== 1) throw new KernelInputError('version', '1', record.version);
  const inputs = names('inputs', record.inputs);
  const targets = names('targets', record.targets);
  const content: ModelContent =
    format === ensembleFormat
      ? { kind: 'mlp', members: parseMembers(record.members, inputs, targets) }
      : surrogateContent(record, inputs, targets);
  const { std_scale: stdScale } = requireRecord('calibration', record.calibration);
  return { inputs, targets, content, stdScale: numbers('calibration.std_scale', stdScale, targets.length) };
}

function surrogateContent(
  record: Record<string, unknown>,
  inputs: readonly string[],
  targets: readonly string[],
): ModelContent {
  const kind = requireChoice('kind', record.kind, ['forest', 'gp']);
  const { mean, scale } = requireRecord('input_statistics', record.input_statistics);
  const statistics = {
    mean: numbers('input_statistics.mean', mean, inputs.length),
    scale: numbers('input_statistics.scale', scale, inputs.length),
  };
  return kind === 'forest'
    ? { kind, inputs: statistics, forests: parseForests(record.forests, inputs, targets) }
    : { kind, inputs: statistics, process: parseProcess(record.process, inputs, targets) };
}

function numbers(field: string, value: unknown, length: number): number[] {
  if (!Array.isArray(value)) throw new KernelInputError(field, 'a list of numbers', value);
  return requireFiniteArray(field, value as number[], length);
}

function names(field: string, value: unknown): string[] {
  const isNames = Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string');
  if (isNames) return value;
  throw new KernelInputError(field, 'a list of column names', value);
}
