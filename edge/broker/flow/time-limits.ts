import type { Core } from '../core.ts';
import type { TaskRecord } from '../task-record.ts';

export interface TimeLimits {
  readonly softMs: number;
  readonly hardMs: number;
}

/** A task’s limits if it begins now: its own, else what is set for its type at run time, else what it was submitted with. */
export function timeLimitsOf(core: Core, { task, spec }: Pick<TaskRecord, 'task' | 'spec'>): TimeLimits {
  const own = { softMs: spec.soft_time_limit_ms, hardMs: spec.time_limit_ms };
  if (spec.own_time_limits === true) return own;
  const { soft_time_limit: soft, time_limit: hard } = core.flow.taskType(task);
  const items = spec.items ?? 1;
  const hardMs = hard === null ? own.hardMs : Math.ceil(hard * 1000 * items);
  const softMs = soft === null ? own.softMs : Math.ceil(soft * 1000 * items);
  return { softMs: Math.min(softMs, hardMs), hardMs };
}
