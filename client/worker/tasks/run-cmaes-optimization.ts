import { CMA_OPTION_NAMES, RestartedCmaEs, type CmaOptions } from '#kernels/cma-es';
import { KernelInputError } from '#kernels';
import { Rng } from '#kernels/rng';
import type { Kwargs } from '#catalog';
import type { TaskBody, TaskContext } from './body.ts';
import { betweenSteps, invalidInput, withFaults } from './faults.ts';
import { searchObjective, type Bounds, type SearchObjective } from './search/objective.ts';

type Search = Kwargs<'run_cmaes_optimization'>;

/** Beside the streams of the kernel, which count from 0. */
const startStream = 1_000_000_007;
/** The initial standard deviation as a share of each variable’s range. */
const sigmaShare = 0.3;
/** The value of a search that found nothing it might propose. */
const nothingFound = Number.MAX_VALUE;

/** CMA-ES on a test function or on an acquisition over a model. Each generation is a step: the search can be stopped and continued after any. */
export const runCmaesOptimization: TaskBody<'run_cmaes_optimization'> = withFaults(async (context, kwargs) => {
  const bounds = boundsOf(kwargs);
  const objective = await searchObjective(context, kwargs, bounds);
  const es = resume(context) ?? create(context, kwargs, bounds, objective);
  const budget = kwargs.max_evaluations;
  while (Object.keys(es.stop()).length === 0) {
    es.tell(objective.evaluate(es.ask(), es.popsize));
    const { fun } = es.best;
    context.progress({
      ...(budget === undefined ? {} : { fraction: Math.min(1, es.evaluations / budget) }),
      message: `${es.evaluations} evaluations, ${Number.isFinite(fun) ? `best ${fun}` : 'nothing found yet'}`,
    });
    context.checkpoint(() => es.snapshot());
    await betweenSteps(context);
  }
  const { x, fun } = es.best;
  const settled = objective.settle(x);
  const prediction = objective.predict(settled);
  return {
    x: settled,
    fun: Number.isFinite(fun) ? fun : nothingFound,
    evaluations: es.evaluations,
    iterations: es.iterations,
    restarts: es.restartCount,
    stop: es.stop(),
    ...(prediction === undefined ? {} : { prediction }),
  };
});

function boundsOf({ bounds, dimension }: Search): Bounds | null {
  if (bounds === undefined) return null;
  const [lower, upper] = bounds.map((side, k) => {
    if (typeof side === 'number') return Array.from({ length: dimension }, () => side);
    if (side.length === dimension) return side;
    throw invalidInput(`bounds[${k}]`, `expected one number or ${dimension}`);
  });
  lower?.forEach((low, k) => {
    if (!(low < (upper?.[k] ?? NaN))) throw invalidInput(`bounds[1][${k}]`, `expected a number above ${low}`);
  });
  return { lower: lower ?? [], upper: upper ?? [] };
}

function create(
  context: TaskContext,
  kwargs: Search,
  bounds: Bounds | null,
  objective: SearchObjective,
): RestartedCmaEs {
  const { dimension, seed, popsize, sigma0, restarts, target } = kwargs;
  const limits = bounds ?? (objective.isBounded ? objective.customary : null);
  const { lower, upper } = limits ?? objective.customary;
  const ranges = lower.map((low, k) => (upper[k] ?? low) - low);
  const options: CmaOptions = {
    ...furtherOptions(kwargs),
    dimension,
    seed,
    x0: kwargs.x0 ?? anywhere({ lower, upper }, seed),
    ...(sigma0 === undefined ? { sigma0: sigmaShare, CMA_stds: ranges } : { sigma0 }),
    ...(limits === null ? {} : { bounds: limits }),
    ...(popsize === undefined ? {} : { popsize }),
  };
  return RestartedCmaEs.create(context.kernels, options, {
    restarts,
    maxEvaluations: kwargs.max_evaluations ?? Number.MAX_SAFE_INTEGER,
    ...(target === undefined ? {} : { target }),
  });
}

/** What has an argument of its own is not among the options. */
const ownArguments: ReadonlySet<string> = new Set(['dimension', 'x0', 'sigma0', 'seed', 'bounds', 'popsize']);

/** pycma’s options; the kernel looks at their values. */
function furtherOptions({ options = {}, sigma0 }: Search): Partial<CmaOptions> {
  const names = CMA_OPTION_NAMES.filter((name) => !ownArguments.has(name));
  for (const name of Object.keys(options)) {
    if (!names.some((known) => known === name))
      throw invalidInput(`options.${name}`, `expected one of ${names.join(', ')}`);
  }
  if (options.CMA_stds !== undefined && sigma0 === undefined) {
    throw invalidInput('options.CMA_stds', 'expected sigma0 beside it');
  }
  return options;
}

function anywhere({ lower, upper }: Bounds, seed: number): number[] {
  const rng = new Rng(seed, startStream);
  return lower.map((low, k) => low + rng.uniform() * ((upper[k] ?? low) - low));
}

/** Where an earlier attempt stopped. Bytes that cannot be read are no reason to fail: the search begins anew. */
function resume({ snapshot, kernels }: TaskContext): RestartedCmaEs | null {
  if (snapshot === null) return null;
  try {
    return RestartedCmaEs.resume(kernels, snapshot);
  } catch (error) {
    if (error instanceof KernelInputError) return null;
    throw error;
  }
}
