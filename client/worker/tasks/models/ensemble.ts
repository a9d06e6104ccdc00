import { MlpPredictor, type MlpModel } from '#kernels/mlp';
import type { TaskContext } from '../body.ts';
import { invalidInput, within } from '../faults.ts';
import { decodeModel, type UsableModel } from './model-file.ts';

/** What an ensemble says of N points: each array has N×K numbers, row by row. */
export interface Predictions {
  readonly mean: Float64Array;
  /** Spread of the members, calibrated. */
  readonly std: Float64Array;
  /** Each member’s predictions, drawn away from the mean by the calibration. */
  readonly members: readonly Float64Array[];
}

/** One or several model files as one ensemble. */
export class Ensemble {
  readonly inputs: readonly string[];
  readonly targets: readonly string[];
  /** Of the first member. */
  readonly #inputs: MlpModel['inputs'];
  readonly #predictor: MlpPredictor;
  /** For each target. */
  readonly #stdScale: readonly number[];

  private constructor(
    kernels: WebAssembly.Module,
    first: UsableModel,
    models: readonly UsableModel[],
    further: readonly number[] = [],
  ) {
    this.inputs = first.inputs;
    this.targets = first.targets;
    this.#inputs = first.members[0]?.inputs ?? { mean: [], scale: [] };
    this.#predictor = new MlpPredictor(
      kernels,
      models.flatMap(({ members }) => members),
    );
    this.#stdScale = first.targets.map((_, k) => {
      const own = models.reduce((sum, { stdScale }) => sum + (stdScale[k] ?? 1), 0) / models.length;
      return own * (further[k] ?? 1);
    });
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
    stdScale?: readonly number[],
  ): Promise<Ensemble> {
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
    if (stdScale !== undefined && stdScale.length !== first.targets.length) {
      throw invalidInput('std_scale', `expected ${first.targets.length} numbers, one for each target of the model`);
    }
    return within('model_path', () => new Ensemble(kernels, first, models, stdScale));
  }

  /** Number of members. */
  get size(): number {
    return this.#predictor.size;
  }

  /** The mean of each input in training, `stds` standard deviations down and up. */
  inputRange(stds: number): { lower: number[]; upper: number[] } {
    const { mean, scale } = this.#inputs;
    return {
      lower: mean.map((centre, k) => centre - stds * (scale[k] ?? 1)),
      upper: mean.map((centre, k) => centre + stds * (scale[k] ?? 1)),
    };
  }

  /** @param x N×D, row by row, in the order of `inputs`. */
  predict(x: Float64Array, rows: number): Predictions {
    const { mean, std } = this.#predictor.predict(x, rows);
    const members = this.#predictor.members(x, rows);
    const outputs = this.targets.length;
    for (let i = 0; i < std.length; i++) {
      const scale = this.#stdScale[i % outputs] ?? 1;
      if (scale === 1) continue;
      const centre = mean[i] ?? 0;
      std[i] = scale * (std[i] ?? 0);
      for (const member of members) member[i] = centre + scale * ((member[i] ?? 0) - centre);
    }
    return { mean, std, members };
  }
}
