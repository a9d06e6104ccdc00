import { bbob } from '#kernels/bbob';
import { RestartedCmaEs, type CmaOptions, type RestartOptions } from '#kernels/cma-es';
import { Rng } from '#kernels/rng';

/**
 * The experiment behind `pycma-bbob.csv`: BIPOP on the noiseless BBOB functions. Each run begins, and begins again,
 * uniformly in [−4, 4]^d with sigma0 = 2, without bounds, and ends with the last target or after 10,000·d evaluations.
 */
export interface BbobExperiment {
  readonly dimensions: readonly number[];
  /** Of f1 … f24. Default all. */
  readonly functions?: readonly number[];
  /** Default 1 … 15. */
  readonly instances?: readonly number[];
  /** Evaluations of a run, in units of d. Default 10,000. */
  readonly budget?: number;
  /** Added to the seeds, which otherwise count from 1 with the instance. Default 0. */
  readonly seed?: number;
  /** Beside what the experiment itself sets. */
  readonly options?: Partial<CmaOptions>;
  readonly restart?: Partial<RestartOptions>;
}

/** What came of one function, or of all of a dimension: the mean of areas, the sum of solved runs. */
export interface BbobScore {
  /** Area under the share of reached targets over log₁₀(evaluations/d) from 0 to 4, as a share of the whole: 0 … 1. */
  readonly area: number;
  /** Runs that reached the last target. */
  readonly solved: number;
  readonly runs: number;
}

export interface BbobTable extends BbobScore {
  readonly dimension: number;
  readonly functions: readonly (BbobScore & { readonly function: number })[];
}

/** Distances from the least value: 51 from 1e2 to 1e-8, evenly in the logarithm. */
export const BBOB_TARGETS: readonly number[] = Array.from({ length: 51 }, (_, k) => 10 ** (2 - k / 5));

const range = (count: number): number[] => Array.from({ length: count }, (_, k) => k + 1);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Area of one run from the evaluations at which it reached each target. */
export function ecdfArea(reached: readonly number[], dimension: number): number {
  const share = (evaluations: number): number =>
    Math.min(1, Math.max(0, 1 - Math.log10(Math.max(1, evaluations / dimension)) / 4));
  return mean(BBOB_TARGETS.map((_, k) => share(reached[k] ?? Infinity)));
}

/** The evaluations at which one run reached each of the targets, as far as it did. */
function reachedTargets(
  module: WebAssembly.Module,
  id: number,
  instance: number,
  dimension: number,
  experiment: BbobExperiment,
): number[] {
  const problem = bbob(module, { function: id, instance, dimension });
  const seed = 1000 * (experiment.seed ?? 0) + instance;
  const rng = new Rng(seed, 1_000_000_007);
  const x0 = Array.from({ length: dimension }, () => 8 * rng.uniform() - 4);
  const last = BBOB_TARGETS.at(-1) ?? 0;
  const es = RestartedCmaEs.create(
    module,
    { dimension, x0, sigma0: 2, seed, ...experiment.options },
    {
      restarts: 'bipop',
      maxEvaluations: (experiment.budget ?? 10_000) * dimension,
      target: problem.fopt + last,
      restartFrom: { lower: -4, upper: 4 },
      ...experiment.restart,
    },
  );
  const reached: number[] = [];
  while (Object.keys(es.stop()).length === 0) {
    const before = es.evaluations;
    const values = problem.evaluateMany(es.ask(), es.popsize);
    values.forEach((value, k) => {
      while (value - problem.fopt <= (BBOB_TARGETS[reached.length] ?? -Infinity)) reached.push(before + k + 1);
    });
    es.tell(values);
  }
  return reached;
}

/** Runs the experiment, one dimension after the other. The same arguments give the same table. */
export function runBbob(module: WebAssembly.Module, experiment: BbobExperiment): BbobTable[] {
  const { dimensions, functions = range(24), instances = range(15) } = experiment;
  return dimensions.map((dimension) => {
    const scores = functions.map((id) => {
      const runs = instances.map((instance) => reachedTargets(module, id, instance, dimension, experiment));
      return {
        function: id,
        area: mean(runs.map((reached) => ecdfArea(reached, dimension))),
        solved: runs.filter((reached) => reached.length === BBOB_TARGETS.length).length,
        runs: runs.length,
      };
    });
    return {
      dimension,
      area: mean(scores.map((score) => score.area)),
      solved: scores.reduce((sum, score) => sum + score.solved, 0),
      runs: scores.reduce((sum, score) => sum + score.runs, 0),
      functions: scores,
    };
  });
}
