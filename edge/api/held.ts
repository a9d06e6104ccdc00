import { sortableId, TabgridError, type JsonObject, type Principal } from '#protocol';
import type { RequestKey, TaskQuery } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import type { Clock } from '../lib/clock.ts';
import { listTasks } from './shards.ts';

/** What objects stand behind: campaigns and workflows. */

/** A new object’s id; under an `Idempotency-Key` always the same one of this owner, so that a repeat reaches the same object. */
export async function objectId(clock: Clock, principal: Principal, request: RequestKey | null): Promise<string> {
  if (request === null) return sortableId(clock.now(), clock.randomBytes(10));
  const text = new TextEncoder().encode(`${principal.sub}\n${request.key}`);
  const hash = await crypto.subtle.digest('SHA-256', text);
  const time = new DataView(hash).getUint32(0) * 2 ** 16 + new DataView(hash).getUint16(4);
  return sortableId(time, new Uint8Array(hash, 6, 10));
}

/**
 * The objects behind a page of the tasks that stand for them: those tasks are the index.
 * @param query with the name of their task type
 * @param view asks the object that a task’s arguments name
 */
export async function listHeld<View>(
  env: Env,
  principal: Principal,
  query: TaskQuery,
  view: (kwargs: JsonObject) => Promise<View>,
): Promise<{ found: View[]; next_cursor: string | null }> {
  const { tasks, next_cursor: next } = await listTasks(env, principal, query);
  const views = await Promise.all(
    tasks.map(({ kwargs }) =>
      view(kwargs).then(
        (found) => [found],
        (error: unknown) => {
          if (error instanceof TabgridError && error.code === 'not_found') return [];
          throw error;
        },
      ),
    ),
  );
  return { found: views.flat(), next_cursor: next };
}
