import { KernelInputError } from '#kernels';
import { MlpPredictor, parseMlpModel, targetCount, type MlpModel } from '#kernels/mlp';
import type { Predictor } from './predictor.ts';

/** Checks the members of an ensemble from a file. @throws KernelInputError naming what does not fit. */
export function parseMembers(value: unknown, inputs: readonly string[], targets: readonly string[]): MlpModel[] {
  if (!Array.isArray(value) || value.length === 0) throw new KernelInputError('members', 'a list of models', value);
  return value.map((member: unknown, k) => {
    const model = parseMlpModel(member);
    if (model.loss === 'log_loss') throw new KernelInputError(`members[${k}].loss`, 'a regression', model.loss);
    if (model.layers[0] === inputs.length && targetCount(model) === targets.length) return model;
    throw new KernelInputError(
      `members[${k}].layers`,
      `${inputs.length} inputs and ${targets.length} outputs`,
      model.layers,
    );
  });
}

/** The members’ mean, and their spread with the noise that they have learnt. */
export function mlpPredictor(kernels: WebAssembly.Module, members: readonly MlpModel[]): Predictor {
  const predictor = new MlpPredictor(kernels, members);
  return {
    size: predictor.size,
    inputs: members[0]?.inputs ?? { mean: [], scale: [] },
    predict(x, rows) {
      return { ...predictor.predict(x, rows), members: () => predictor.members(x, rows) };
    },
  };
}
