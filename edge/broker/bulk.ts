import { isFinal, limits, openStates, type Principal, type TaskId } from '#protocol';
import type { Core } from './core.ts';
import { revoke } from './revoke.ts';
import type { BulkRetried, BulkRevoked, RetriedTask, TaskQuery } from './rpc.ts';
import { repeatOf, submit } from './submit.ts';
import type { TaskRecord } from './task-record.ts';
import { TaskSearch, type SearchStep } from './task-search.ts';

/** What is done to many tasks at once, one step a commit. What comes while it goes on is left alone. */

/** Steps of one request: what is left is done by the next one. */
export const maxBulkSteps = 10;
const revokedPerStep = 1000;
/** Few, because each is read with its arguments. */
const retriedPerStep = 50;

/** @returns how many are REVOKED now or get no further attempt, and were not so before. */
export function revokeStep(
  core: Core,
  principal: Principal,
  query: TaskQuery,
  terminate: boolean,
  cursor: string | null,
): BulkRevoked {
  const states = (query.states ?? openStates).filter((state) => !isFinal(state));
  if (states.length === 0) return { revoked: 0, next_cursor: null };
  const { records, next } = find(core, principal, { ...query, states }, cursor, revokedPerStep);
  const revoked = records.filter((record) => revoke(core, record, terminate)).length;
  return { revoked, next_cursor: next };
}

/** Runs dead tasks again, each as a new one. A task is run again once only: a repeat answers with the task of the first time. */
export function retryStep(
  core: Core,
  principal: Principal,
  query: TaskQuery,
  cursor: string | null,
  limit: number,
): BulkRetried {
  const states = query.states ?? ['FAILURE'];
  const found = find(core, principal, { ...query, states }, cursor, Math.min(limit, retriedPerStep));
  const records = found.records.filter((record) => record.spec.held !== true);
  const answers = new Map<TaskId, RetriedTask>();
  for (const owner of new Set(records.map((record) => record.owner))) {
    const theirs = records.filter((record) => record.owner === owner);
    const again = theirs.map((record) => ({ ...repeatOf(core, record), idempotency_key: bulkKey(record) }));
    submit(core, owner, again).forEach((submitted, index) => {
      const of = theirs[index];
      if (of !== undefined) answers.set(of.id, { ...submitted, retry_of: of.id });
    });
  }
  return { tasks: records.flatMap((record) => answers.get(record.id) ?? []), next_cursor: found.next };
}

/** No client’s key has a control character in front, and a task has only one. */
function bulkKey(record: TaskRecord): string {
  return `\u0001retry:${record.id}`;
}

/** Records of this unit of work, with all that came before in it. */
function find(core: Core, principal: Principal, query: TaskQuery, cursor: string | null, limit: number): SearchStep {
  core.tasks.flush();
  const { records, next } = new TaskSearch(core, principal, query).step(cursor, Math.min(limit, limits.maxPageSize));
  const ids = records.map((record) => record.id);
  core.tasks.load(ids);
  return { records: ids.flatMap((id) => core.tasks.get(id) ?? []), next };
}
