import type { MlpModel } from '../../mlp/index.ts';
import { lossOf } from '../../mlp/model.ts';
import type { CmaOptions } from '../contract.ts';
import type { ResolvedOptions } from '../options.ts';
import { FLEET_LIMITS } from './contract.ts';
import type { FleetLayout } from './layout.ts';
import type { FleetPlan, PlannedRun } from './plan.ts';

type Obstacle = (resolved: ResolvedOptions) => boolean;

const never: Obstacle = () => false;

/** When an option asks for something that the shader does not know. Complete, so that a new option cannot be forgotten. */
const OBSTACLES: Readonly<Record<keyof CmaOptions, Obstacle>> = {
  dimension: never,
  x0: never,
  sigma0: never,
  seed: never,
  bounds: never,
  BoundaryHandler: ({ penalised, bounded }) => penalised && bounded,
  fixed_variables: ({ dimension, space }) => dimension < space.dimension,
  integer_variables: ({ integers }) => integers.length > 0,
  popsize: never,
  CMA_active: never,
  CMA_diagonal: ({ diagonalIterations }) => diagonalIterations > 0,
  CMA_stds: never,
  cov: never,
  CMA_mirrors: ({ mirrors }) => mirrors > 0,
  CMA_mirrormethod: never,
  CMA_elitist: ({ elitist }) => elitist !== 'none',
  lr_adapt: ({ adaptive }) => adaptive,
  CSA_dampfac: never,
  minstd: never,
  maxstd: never,
  maxstd_boundrange: never,
  updatecovwait: never,
  ftarget: never,
  maxfevals: never,
  maxiter: never,
  tolfun: never,
  tolfunhist: never,
  tolfunrel: never,
  tolx: never,
  tolfacupx: never,
  tolupsigma: never,
  tolconditioncov: never,
  tolflatfitness: never,
  tolstagnation: never,
  tolxstagnation: never,
};

/** Operations of one evaluation, roughly. */
function evaluationOperations({ dimension, ensemble = [] }: FleetPlan, { objective }: PlannedRun): number {
  if (objective.kind === 'function') return 40 * dimension;
  return ensemble.reduce(
    (sum, { layers }) => layers.reduce((part, width, l) => part + 2 * width * (layers[l + 1] ?? 0), sum),
    0,
  );
}

/** Operations of a run's generation, roughly: evaluation, sampling and learning, and a share of the eigendecompositions. */
export function generationOperations(plan: FleetPlan, run: PlannedRun): number {
  const { dimension: d } = plan;
  return run.resolved.popsize * (evaluationOperations(plan, run) + 6 * d * d) + 10 * d * d * d;
}

function foreignModel(ensemble: readonly MlpModel[]): string | undefined {
  const other = ensemble.map(lossOf).find((loss) => loss !== 'squared_error');
  return other === undefined ? undefined : `The GPU knows no models with the loss ${other}.`;
}

function foreignRun(plan: FleetPlan, run: PlannedRun, index: number): string | undefined {
  for (const [name, isObstacle] of Object.entries(OBSTACLES)) {
    if (isObstacle(run.resolved)) return `The GPU does not know what ${name} asks for in run ${index}.`;
  }
  if (run.hasGuests) return `The GPU takes no injected points, and run ${index} has some.`;
  if (generationOperations(plan, run) <= FLEET_LIMITS.generationOperations) return undefined;
  return `A generation of run ${index} is too much for one dispatch.`;
}

/** Why a fleet cannot run on a device with these limits; undefined when it can. */
export function unsupported(plan: FleetPlan, layout: FleetLayout, limits: GPUSupportedLimits): string | undefined {
  const { dimension, runs, ensemble } = plan;
  if (dimension > FLEET_LIMITS.dimension) {
    return `The GPU takes up to ${FLEET_LIMITS.dimension} dimensions, and there are ${dimension}.`;
  }
  const usesModels = runs.some(({ objective }) => objective.kind === 'acquisition');
  const foreign = usesModels ? foreignModel(ensemble ?? []) : undefined;
  if (foreign !== undefined) return foreign;
  for (const [index, run] of runs.entries()) {
    const reason = foreignRun(plan, run, index);
    if (reason !== undefined) return reason;
  }
  const bytes = 4 * runs.length * Math.max(layout.stride('NUMBER'), layout.stride('SCRATCH'));
  if (bytes > Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize)) {
    return `The fleet needs buffers of ${bytes} bytes, and the device has none of that size.`;
  }
  return undefined;
}
