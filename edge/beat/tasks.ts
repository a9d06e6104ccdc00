import { isoTime, sha256Hex, sortableId, type TaskId } from '#protocol';
import type { NewTask } from '../broker/rpc.ts';
import type { EdgeConfig } from '../config.ts';
import { prepare } from '../tasks/prepare.ts';
import type { StoredSchedule } from './store.ts';

/** By this label a schedule’s tasks are found and revoked. */
export function scheduleLabel(name: string): string {
  return `schedule:${name}`;
}

/** Why a task is submitted: for a tick, or because somebody asked, under a key of its own. */
export type Cause = { readonly tickMs: number } | { readonly key: string; readonly nowMs: number };

/**
 * The id of a schedule’s task follows from the schedule and its tick, so that a Broker shard that has the task already leaves it alone even
 * when the beat itself was set back, as by a backup. Its time is the tick’s.
 */
export function taskIdOf(scheduleId: string, cause: Cause, shards: number): TaskId {
  const [timeMs, what] = 'tickMs' in cause ? [cause.tickMs, cause.tickMs] : [cause.nowMs, `run ${cause.key}`];
  const hash = sha256Hex(`${scheduleId} ${what}`);
  const bytes = Uint8Array.from({ length: 14 }, (_, index) =>
    Number.parseInt(hash.slice(2 * index, 2 * index + 2), 16),
  );
  const shard = new DataView(bytes.buffer).getUint32(10) % shards;
  return `${shard}-${sortableId(timeMs, bytes.subarray(0, 10))}` as TaskId;
}

/** @throws TabgridError when the task type does not take the signature (any more). */
export function scheduledTask(
  { owner, name, id, spec }: Pick<StoredSchedule, 'owner' | 'name' | 'id' | 'spec'>,
  cause: Cause,
  nowMs: number,
  config: EdgeConfig,
): NewTask & { task_id: TaskId } {
  const taskId = taskIdOf(id, cause, config.shards);
  const tick = 'tickMs' in cause ? isoTime(cause.tickMs) : null;
  const task = prepare(
    { ...spec.signature, labels: [...(spec.signature.labels ?? []), scheduleLabel(name)] },
    { owner, nowMs, config, parent: { schedule: name, tick } },
  );
  return { ...task, task_id: taskId };
}
