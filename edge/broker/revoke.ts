import { isFinal, type Principal, type TaskId } from '#protocol';
import { endAttempt, finishQueued, move, tellRevoked } from './attempts.ts';
import type { Core } from './core.ts';
import { revokedError } from './settle.ts';
import { ownTask } from './ownership.ts';
import type { TaskRecord } from './task-record.ts';

/** Revokes a task for its owner. A final one stays as it is. @throws not_found */
export function revokeOwn(core: Core, principal: Principal, id: TaskId, terminate: boolean): void {
  revoke(core, ownTask(core.tasks.get(id), principal, id), terminate);
}

/**
 * Not begun: REVOKED at once. Running: with `terminate` it is stopped; without, the attempt may end, but no other follows. A held task
 * ends at once, and its object is told.
 * @returns whether that changes anything.
 */
export function revoke(core: Core, record: TaskRecord, terminate: boolean): boolean {
  if (isFinal(record.state)) return false;
  const lease = core.leases.get(record.id);
  if (lease !== undefined) {
    if (lease.startedMs !== null && !terminate) {
      if (record.revoking) return false;
      record.revoking = true;
      core.tasks.save(record);
      return true;
    }
    tellRevoked(core, lease, terminate);
    endAttempt(core, lease, { type: 'revoked' }, { imposed: true });
    return true;
  }
  const { held, notify } = record.spec;
  move(core, record, undefined, held ? 'terminate' : 'revoke');
  if (held && notify !== undefined) {
    core.outbox.send(notify, { type: 'revoked', task_id: record.id, terminate });
    core.effects.flushOutbox = true;
  }
  finishQueued(core, record, { error: revokedError });
  return true;
}
