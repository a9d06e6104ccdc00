import { KernelInputError, readSnapshot, requireRecord } from '../../runtime/index.ts';
import { Workspace } from '../block.ts';
import type { CmaOptions } from '../contract.ts';
import { parseOptions } from '../options.ts';
import type { ResolvedOptions } from '../options.ts';
import { CmaEs, SNAPSHOT } from '../run.ts';
import type { FleetObjective, FleetOptions, FleetResult, FleetRun } from './contract.ts';
import { Objectives } from './objectives.ts';
import type { Evaluate } from './objectives.ts';

/** A run between two generations, wherever it goes on. */
export interface PlannedRun {
  readonly objective: FleetObjective;
  readonly evaluate: Evaluate;
  readonly resolved: ResolvedOptions;
  readonly snapshot: Uint8Array;
  readonly result: FleetResult;
  /** Number of the evaluation that found `result.x`, from 1; 0 before there is one. */
  readonly bestAt: number;
  /** Whether injected points wait. */
  readonly hasGuests: boolean;
}

/** Runs that were checked, of one dimension. */
export interface FleetPlan {
  readonly module: WebAssembly.Module;
  readonly dimension: number;
  readonly runs: readonly PlannedRun[];
  readonly ensemble: FleetOptions['ensemble'];
}

/** What is known of a run that stands in memory now. */
export function resultOf(es: CmaEs): FleetResult {
  const { x, fun } = es.best;
  return { x, fun, evaluations: es.evaluations, iterations: es.iterations, stop: es.stop() };
}

function begin(workspace: Workspace, run: FleetRun): CmaEs {
  if ('snapshot' in run) return CmaEs.resumeAt(workspace, run.snapshot);
  // The shader draws every candidate, and both sides run the same search.
  return CmaEs.createAt({ workspace, stream: 0 }, { CMA_mirrors: false, ...run.options });
}

/** Refusals name the run that they are about. */
function naming<T>(index: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof KernelInputError)) throw error;
    const isShared = error.field.startsWith('ensemble');
    throw new KernelInputError(isShared ? error.field : `runs[${index}].${error.field}`, error.expected, error.got);
  }
}

/**
 * Checks a fleet and begins its runs.
 *
 * @throws KernelInputError naming the run and its option, objective or snapshot, or the ensemble.
 */
export function planFleet(module: WebAssembly.Module, { runs, ensemble }: FleetOptions): FleetPlan {
  if (runs.length === 0) throw new KernelInputError('runs', 'at least one run', runs);
  const workspace = new Workspace(module);
  const begun = runs.map((run, index) =>
    naming(index, () => {
      const es = begin(workspace, run);
      const snapshot = es.snapshot();
      const { state } = readSnapshot(snapshot, SNAPSHOT.kernel, SNAPSHOT.version);
      const options = requireRecord('snapshot.options', state.options) as unknown as CmaOptions;
      const { objective } = run;
      const found = { result: resultOf(es), bestAt: es.best.evaluations, hasGuests: es.injections.length > 0 };
      return { objective, resolved: parseOptions(options), snapshot, ...found };
    }),
  );
  const dimension = begun[0]?.resolved.space.dimension ?? 0;
  const objectives = new Objectives(module, dimension, ensemble);
  const planned = begun.map((run, index) =>
    naming(index, () => {
      const own = run.resolved.space.dimension;
      if (own !== dimension) throw new KernelInputError('dimension', `${dimension}, as in the first run`, own);
      return { ...run, evaluate: objectives.of(run.objective) };
    }),
  );
  return { module, dimension, runs: planned, ensemble };
}
