import type { TaskType } from '#catalog';
import type { JsonObject } from '#protocol';
import type { EdgeConfig } from '../config.ts';

/** True for a task that is light enough for the stateless Worker; what is heavier waits for a worker. */
export function runsAtEdge(type: TaskType, kwargs: JsonObject, config: EdgeConfig): boolean {
  if (!type.runsOn.includes('edge')) return false;
  if (type.name !== 'compute_pareto_front') return true;
  const points = kwargs.points as readonly (readonly number[])[];
  return points.length * (points[0]?.length ?? 0) <= config.edgeParetoValues;
}
