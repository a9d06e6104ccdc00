import { KernelInputError } from '../runtime/index.ts';
import { makeModel, readForest } from './model.ts';
import type { ForestModel } from './model.ts';

/** What must be equal for trees to be of one forest. */
const origin = ({ options, training, dimension, classes }: ForestModel): string =>
  JSON.stringify({ options, training, dimension, classes });

/**
 * Puts partial forests together, in whatever order they come. Wherever the trees were grown and however they were
 * divided, the same trees give the same model.
 *
 * @throws KernelInputError unless they have the same options and data, and their trees follow each other without gap or overlap.
 */
export function mergeForests(models: readonly ForestModel[]): ForestModel {
  const parts = models.map(readForest).sort((a, b) => a.model.from - b.model.from);
  const first = parts[0]?.model;
  if (first === undefined) throw new KernelInputError('models', 'at least one model', models);
  let next = first.from;
  for (const { model: part } of parts) {
    if (origin(part) !== origin(first)) {
      throw new KernelInputError('models', 'forests with the same options and data', `others (tree ${part.from})`);
    }
    if (part.from !== next) throw new KernelInputError('models', `trees from ${next} on`, `trees from ${part.from} on`);
    next += part.nodeCounts.length;
  }
  return makeModel(
    {
      dimension: first.dimension,
      classes: first.classes,
      options: first.options,
      training: first.training,
      from: first.from,
    },
    parts.flatMap(({ trees }) => trees),
  );
}
