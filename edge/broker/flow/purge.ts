import type { TaskId } from '#protocol';
import { finishQueued, move } from '../attempts.ts';
import type { Core } from '../core.ts';
import { revokedError } from '../settle.ts';

/** Tasks of one commit, so that nobody waits long. */
const batchCount = 1000;

export interface PurgeOptions {
  /** Those too that wait for their ETA or back-off. */
  readonly scheduled: boolean;
  /** Tasks submitted from here on are left alone. */
  readonly before: TaskId;
}

/** Revokes a batch of what waits in a queue. @returns how many; 0 when nothing is left */
export function purgeBatch(core: Core, queue: string, { scheduled, before }: PurgeOptions): number {
  core.tasks.flush();
  const lanes = JSON.stringify(core.lanes.ofQueue(queue).map(({ id }) => id));
  const leased = core.leases.taskIds();
  const where = `lane IN (SELECT value FROM json_each(?1)) AND id < ?2 AND id NOT IN (SELECT value FROM json_each(?3))`;
  const find = (index: string, condition: string): TaskId[] =>
    core.database
      .all<{ id: string }>(
        `SELECT id FROM tasks INDEXED BY ${index} WHERE ${condition} AND ${where} LIMIT ${batchCount}`,
        lanes,
        before,
        leased,
      )
      .map(({ id }) => id as TaskId);
  const ids = find('tasks_ready', 'queued = 1');
  if (scheduled && ids.length < batchCount) ids.push(...find('tasks_due', 'due_ms IS NOT NULL'));
  for (const record of core.tasks.load(ids)) {
    move(core, record, undefined, 'revoke');
    finishQueued(core, record, { error: revokedError });
  }
  return ids.length;
}
