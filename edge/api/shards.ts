import type { Principal } from '#protocol';
import { brokerShard, type BrokerApi, type QueueView, type TaskPage, type TaskQuery } from '../broker/rpc.ts';
import { loadConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { readCursor, writeCursor } from '../lib/cursor.ts';
import { call, type Reply } from '../lib/rpc.ts';

/** What several Broker shards answer, made one. Where an id is at hand, its shard is asked alone. */

export function allShards(env: Env): BrokerApi[] {
  return Array.from({ length: loadConfig(env).shards }, (_, shard) => brokerShard(env, shard));
}

/** Calls every shard at the same time. */
export function askAll<T>(env: Env, ask: (shard: BrokerApi) => Promise<Reply<T>>): Promise<T[]> {
  return Promise.all(allShards(env).map((shard) => call(ask(shard))));
}

/** A cursor over several shards: each one’s own, null for one that has no more. */
type ShardCursors = (string | null)[];

/** A page of tasks, in the query’s order. With several shards each gives its share of a page, and the order holds within the page. */
export async function listTasks(env: Env, principal: Principal, query: TaskQuery): Promise<TaskPage> {
  const shards = allShards(env);
  const [only] = shards;
  if (shards.length === 1 && only !== undefined) return call(only.list(principal, query));
  const cursors = query.cursor === undefined ? shards.map(() => undefined) : readCursors(query.cursor, shards.length);
  const share = Math.max(1, Math.floor((query.limit ?? shards.length) / shards.length));
  const pages = await Promise.all(
    shards.map(async (shard, index): Promise<TaskPage> => {
      const cursor = cursors[index];
      if (cursor === null) return { tasks: [], next_cursor: null };
      return await call(shard.list(principal, { ...query, limit: share, ...(cursor === undefined ? {} : { cursor }) }));
    }),
  );
  const next = pages.map((page) => page.next_cursor);
  const sign = query.order === 'oldest' ? -1 : 1;
  return {
    tasks: pages.flatMap((page) => page.tasks).sort((a, b) => (a.created_at < b.created_at ? sign : -sign)),
    next_cursor: next.every((cursor) => cursor === null) ? null : writeCursor(next),
  };
}

/** @throws TabgridError `invalid_request` */
export function readCursors(cursor: string, shards: number): ShardCursors {
  const isPlace = (value: unknown): value is ShardCursors => Array.isArray(value) && value.length === shards;
  return readCursor(cursor, isPlace);
}

/** The queues of all shards, each once. */
export async function sumQueues(env: Env): Promise<QueueView[]> {
  const byName = new Map<string, QueueView>();
  for (const queue of (await askAll(env, (shard) => shard.queues())).flat()) {
    const sum = byName.get(queue.queue);
    byName.set(queue.queue, sum === undefined ? queue : addQueues(sum, queue));
  }
  return [...byName.values()].sort((a, b) => (a.queue < b.queue ? -1 : 1));
}

function addQueues(a: QueueView, b: QueueView): QueueView {
  return {
    ...a,
    waiting: a.waiting + b.waiting,
    scheduled: a.scheduled + b.scheduled,
    running: a.running + b.running,
    oldest_age: a.oldest_age === null ? b.oldest_age : Math.max(a.oldest_age, b.oldest_age ?? 0),
  };
}
