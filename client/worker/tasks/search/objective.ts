import { bbob, builtin } from '#kernels/bbob';
import { isAmong } from '#kernels/acquisition';
import type { Kwargs, Result } from '#catalog';
import type { TaskContext } from '../body.ts';
import { invalidInput } from '../faults.ts';
import { Rating, spreadNear } from '../models/rating.ts';
import { Surrogate } from '../models/surrogate.ts';
import { predictionAt } from '../score-candidates.ts';

export interface Bounds {
  readonly lower: readonly number[];
  readonly upper: readonly number[];
}

/** What CMA-ES minimises. */
export interface SearchObjective {
  /** Where it is searched when the task does not say. */
  readonly customary: Bounds;
  /** Whether these limits hold then, or only say where to begin. */
  readonly isBounded: boolean;
  /** Values of the rows of a population; NaN where nothing is to be proposed. */
  evaluate(population: Float64Array, rows: number): Float64Array;
  /** The point that is meant by one that the search came to. */
  settle(x: Float64Array): number[];
  predict(x: readonly number[]): Result<'run_cmaes_optimization'>['prediction'];
}

type Objective = Kwargs<'run_cmaes_optimization'>['objective'];
type ModelObjective = Extract<Objective, { model_path: unknown }>;

/** @throws KernelInputError or TabgridError `invalid_input` naming what does not fit; `file_not_found` for a model. */
export async function searchObjective(
  context: TaskContext,
  { objective, dimension, seed }: Kwargs<'run_cmaes_optimization'>,
  bounds: Bounds | null,
): Promise<SearchObjective> {
  if ('model_path' in objective) return modelObjective(context, objective, dimension, seed, bounds);
  const problem =
    'suite' in objective
      ? bbob(context.kernels, { function: objective.function, instance: objective.instance, dimension })
      : builtin(context.kernels, objective.builtin, dimension);
  return {
    customary: problem.bounds,
    isBounded: false,
    evaluate: (population, rows) => problem.evaluateMany(population, rows),
    settle: (x) => [...x],
    predict: () => undefined,
  };
}

/** How many standard deviations of the training inputs around their mean are searched when a task gives no bounds. */
const customaryStds = 2;

async function modelObjective(
  context: TaskContext,
  objective: ModelObjective,
  dimension: number,
  seed: number,
  given: Bounds | null,
): Promise<SearchObjective> {
  const surrogate = await Surrogate.load(context, objective.model_path, objective.std_scale);
  if (surrogate.inputs.length !== dimension) {
    throw invalidInput('dimension', `expected the model’s ${surrogate.inputs.length}`);
  }
  const { acquisition, goal, best, scalarization } = objective;
  const rating = new Rating(context.kernels, surrogate, { acquisition, goal, best, scalarization, seed, slot: 0 });
  const customary = surrogate.inputRange(customaryStds);
  const { lower, upper } = given ?? customary;
  const unit = (x: ArrayLike<number>): number[] =>
    lower.map((low, k) => ((x[k] ?? low) - low) / ((upper[k] ?? low) - low));
  const pending = (objective.pending ?? []).map((point, k) => {
    if (point.length !== dimension) throw invalidInput(`objective.pending[${k}]`, `expected ${dimension} numbers`);
    return unit(point);
  });
  const spread = spreadNear(context.kernels, pending, dimension);
  const integers = objective.integers ?? [];
  const settle = (x: Float64Array): number[] => {
    const point = [...x];
    for (const k of integers) point[k] = Math.round(point[k] ?? 0);
    return point;
  };
  return {
    customary,
    // Far from what it has learnt a model knows nothing.
    isBounded: true,
    settle,
    evaluate(population, rows) {
      const settled = Float64Array.from({ length: population.length });
      for (let row = 0; row < rows; row++)
        settled.set(settle(population.subarray(row * dimension, (row + 1) * dimension)), row * dimension);
      const { mean, std } = rating.reduce(surrogate.predict(settled, rows));
      return Float64Array.from({ length: rows }, (_, row) => {
        const x = unit(settled.subarray(row * dimension, (row + 1) * dimension));
        if (isAmong(pending, x)) return NaN;
        return -rating.score(mean[row] ?? NaN, std[row] ?? NaN, spread(x));
      });
    },
    predict: (x) => predictionAt(surrogate.predict(Float64Array.from(x), 1), 0, surrogate.targets.length),
  };
}
