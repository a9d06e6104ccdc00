import type { TaskName } from '#catalog';
import type { Assignment, Json } from '#protocol';
import type { Env } from '../../env.ts';
import { computeParetoFront } from './compute-pareto-front.ts';
import { exportResults } from './export-results.ts';
import { ping } from './ping.ts';

/** What runs a task in the stateless Worker. @throws TabgridError for a failure that no retry can mend. */
export type EdgeBody = (env: Env, assignment: Assignment) => Promise<Json>;

/** The bodies of the task types that run at the edge. */
export const bodies = {
  ping,
  compute_pareto_front: computeParetoFront,
  export_results: exportResults,
} satisfies Partial<Record<TaskName, EdgeBody>>;
