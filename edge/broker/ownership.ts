import { isAdmin, owns, TabgridError, type Principal, type TaskId } from '#protocol';
import type { TaskRecord } from './task-record.ts';

/** The task, when it exists and is the principal’s to see. @throws not_found otherwise: others’ tasks do not exist for them. */
export function ownTask(record: TaskRecord | undefined, principal: Principal, id: TaskId): TaskRecord {
  if (record !== undefined && owns(principal, record.owner)) return record;
  throw new TabgridError('not_found', `there is no task ${id}`);
}

/** True for a bearer whose workers’ results count unchecked. */
export function isTrusted(principal: Principal): boolean {
  return principal.scope.includes('work') || isAdmin(principal);
}
