import { KernelInputError } from '#kernels';
import type { TaskContext } from '../body.ts';
import { invalidInput, within } from '../faults.ts';
import { forestPredictor } from './forest.ts';
import { gpPredictor } from './gp.ts';
import { decodeModel, type ModelContent, type UsableModel } from './model-file.ts';
import { mlpPredictor } from './mlp.ts';
import { once, type Predictions, type Predictor } from './predictor.ts';

/** One or several model files as one model, whose spread is calibrated. */
export class Surrogate {
  readonly inputs: readonly string[];
  readonly targets: readonly string[];
  readonly #predictor: Predictor;
  /** For each target. */
  readonly #stdScale: readonly number[];

  private constructor(names: Pick<UsableModel, 'inputs' | 'targets'>, predictor: Predictor, stdScale: number[]) {
    this.inputs = names.inputs;
    this.targets = names.targets;
    this.#predictor = predictor;
    this.#stdScale = stdScale;
  }

  /**
   * Reads the files and checks that they belong together.
   *
   * @param stdScale Further factors on the standard deviations, one for each target.
   * @throws TabgridError `file_not_found`; `invalid_input` naming the file and the member that does not fit.
   */
  static async load(
    { files, kernels }: TaskContext,
    paths: string | readonly string[],
    stdScale: readonly number[] = [],
  ): Promise<Surrogate> {
    const list = typeof paths === 'string' ? [paths] : paths;
    const models = await Promise.all(
      list.map(async (path) => {
        const bytes = await files.read(path);
        return within(path, () => decodeModel(bytes));
      }),
    );
    const [first] = models;
    if (first === undefined) throw invalidInput('model_path', 'expected at least one model file');
    models.forEach(({ inputs, targets }, k) => {
      if (inputs.join('\n') === first.inputs.join('\n') && targets.join('\n') === first.targets.join('\n')) return;
      throw invalidInput(list[k] ?? 'model_path', `expected the inputs and targets of ${list[0] ?? ''}`);
    });
    if (stdScale.length > 0 && stdScale.length !== first.targets.length) {
      throw invalidInput('std_scale', `expected ${first.targets.length} numbers, one for each target of the model`);
    }
    const scales = first.targets.map((_, k) => {
      const own = models.reduce((sum, model) => sum + (model.stdScale[k] ?? 1), 0) / models.length;
      return own * (stdScale[k] ?? 1);
    });
    return within('model_path', () => new Surrogate(first, predictorOf(kernels, models), scales));
  }

  /** Number of members. */
  get size(): number {
    return this.#predictor.size;
  }

  /** The mean of each input in training, `stds` standard deviations down and up. */
  inputRange(stds: number): { lower: number[]; upper: number[] } {
    const { mean, scale } = this.#predictor.inputs;
    return {
      lower: mean.map((centre, k) => centre - stds * (scale[k] ?? 1)),
      upper: mean.map((centre, k) => centre + stds * (scale[k] ?? 1)),
    };
  }

  /**
   * @param x N×D, row by row, in the order of `inputs`.
   * @returns `std` calibrated, and members drawn away from the mean by the same factor.
   */
  predict(x: Float64Array, rows: number): Predictions {
    const { mean, std, members } = this.#predictor.predict(x, rows);
    const scaleAt = (i: number): number => this.#stdScale[i % this.targets.length] ?? 1;
    const around = (value: number, i: number): number => {
      const scale = scaleAt(i);
      const centre = mean[i] ?? 0;
      return scale === 1 ? value : centre + scale * (value - centre);
    };
    return {
      mean,
      std: std.map((spread, i) => scaleAt(i) * spread),
      members: once(() => members().map((member) => member.map(around))),
    };
  }
}

/** @throws KernelInputError when the models are of several kinds, or of one that a single file holds. */
function predictorOf(kernels: WebAssembly.Module, models: readonly UsableModel[]): Predictor {
  const contents = models.map(({ content }) => content);
  const [first] = contents;
  switch (first?.kind) {
    case 'forest': {
      const forests = allOf(contents, 'forest').map((content) => content.forests);
      return forestPredictor(kernels, forests, first.inputs);
    }
    case 'gp':
      if (contents.length === 1) return gpPredictor(kernels, first.process, first.inputs);
      throw new KernelInputError('kind', 'a single file: a Gaussian process has no parts', undefined);
    default: {
      const ensembles = allOf(contents, 'mlp').map((content) => content.members);
      return mlpPredictor(kernels, ensembles.flat());
    }
  }
}

function allOf<Kind extends ModelContent['kind']>(
  contents: readonly ModelContent[],
  kind: Kind,
): Extract<ModelContent, { kind: Kind }>[] {
  return contents.map((content, k) => {
    if (isOf(content, kind)) return content;
    throw new KernelInputError(`kind of file ${k + 1}`, `${kind}, as of the first one`, content.kind);
  });
}

function isOf<Kind extends ModelContent['kind']>(
  content: ModelContent,
  kind: Kind,
): content is Extract<ModelContent, { kind: Kind }> {
  return content.kind === kind;
}
