import { KernelInputError } from '#kernels';
import { ForestPredictor, parseForestModel, type ForestModel } from '#kernels/forest';
import { once, type InputStatistics, type Predictor } from './predictor.ts';
import { spreadOf } from './spread.ts';

/** Checks the forests of a file, one for each target. @throws KernelInputError naming what does not fit. */
export function parseForests(value: unknown, inputs: readonly string[], targets: readonly string[]): ForestModel[] {
  if (!Array.isArray(value) || value.length !== targets.length) {
    throw new KernelInputError('forests', `${targets.length} forests, one for each target`, value);
  }
  const trees: number[] = [];
  return value.map((forest: unknown, k) => {
    const model = parseForestModel(forest);
    if (model.classes > 0) throw new KernelInputError(`forests[${k}].classes`, 'a regression', model.classes);
    if (model.dimension !== inputs.length) {
      throw new KernelInputError(`forests[${k}].dimension`, `${inputs.length}`, model.dimension);
    }
    trees.push(model.nodeCounts.length);
    if (trees[k] === trees[0]) return model;
    throw new KernelInputError(`forests[${k}].nodeCounts`, `${trees[0]} trees, as the first forest has`, trees[k]);
  });
}

/**
 * Forests, one for each target, from one file or several: the trees of all of them count alike. Member m is what tree m of every forest
 * says; the spread is that of the trees. It says how far trees from other bags would disagree, not how noisy targets are.
 *
 * @param files for each file its forests
 */
export function forestPredictor(
  kernels: WebAssembly.Module,
  files: readonly (readonly ForestModel[])[],
  inputs: InputStatistics,
): Predictor {
  const predictors = files.map((forests) => forests.map((model) => new ForestPredictor(kernels, model)));
  const size = predictors.reduce((sum, [first]) => sum + (first?.size ?? 0), 0);
  const outputs = files[0]?.length ?? 0;
  return {
    size,
    inputs,
    predict(x, rows) {
      const members = once(() => membersOf(predictors, x, rows, outputs));
      const [only] = predictors;
      if (only === undefined || predictors.length > 1) return { ...spreadOf(members()), members };
      const each = only.map((predictor) => predictor.predict(x, rows));
      const column = (of: 'mean' | 'std') =>
        Float64Array.from(
          { length: rows * outputs },
          (_, i) => each[i % outputs]?.[of][Math.floor(i / outputs)] ?? NaN,
        );
      return { mean: column('mean'), std: column('std'), members };
    },
  };
}

/** What each tree says: for each its N×K numbers. */
function membersOf(
  files: readonly (readonly ForestPredictor[])[],
  x: Float64Array,
  rows: number,
  outputs: number,
): Float64Array[] {
  return files.flatMap((predictors) => {
    const members = Array.from({ length: predictors[0]?.size ?? 0 }, () => new Float64Array(rows * outputs));
    predictors.forEach((predictor, k) => {
      predictor.members(x, rows).forEach((tree, m) => {
        const member = members[m];
        if (member !== undefined) tree.forEach((value, row) => (member[row * outputs + k] = value));
      });
    });
    return members;
  });
}
