import { canonicalJson, isoTime, sha256Hex, type ScheduleSpec, type ScheduleSummary } from '#protocol';
import type { Versioned } from './rpc.ts';
import { timingOf, upcoming } from './core/timing.ts';
import type { StoredSchedule } from './store.ts';

const shownRuns = 5;

/** The version of what was put; what it runs does not change it. */
export function versionOf(spec: ScheduleSpec): string {
  return sha256Hex(canonicalJson(spec)).slice(0, 32);
}

export function summaryOf(stored: StoredSchedule): ScheduleSummary {
  const { spec } = stored;
  return {
    name: stored.name,
    owner: stored.owner,
    task: 'task' in spec.signature ? spec.signature.task : 'run_workflow',
    schedule: spec.schedule,
    enabled: spec.enabled,
    catch_up: spec.catch_up,
    last_run: timeOf(stored.lastRunMs),
    next_run: timeOf(stored.nextMs),
    total_runs: stored.totalRuns,
    last_task_id: stored.lastTaskId,
    last_error: stored.lastError,
    created_at: isoTime(stored.createdMs),
    updated_at: isoTime(stored.updatedMs),
  };
}

export function viewOf(stored: StoredSchedule): Versioned {
  const { spec, nextMs, anchorMs } = stored;
  const next = nextMs === null ? [] : upcoming(timingOf(spec.schedule, anchorMs), nextMs - 1, shownRuns);
  return {
    schedule: { ...summaryOf(stored), signature: spec.signature, next_runs: next.map(isoTime) },
    version: versionOf(spec),
  };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}
