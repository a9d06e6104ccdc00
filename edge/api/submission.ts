import type { Principal, Submitted } from '#protocol';
import { taskDigest } from '../broker/idempotency.ts';
import { brokerShard, type NewTask, type Recalled, type RecallQuery, type RequestKey } from '../broker/rpc.ts';
import { loadConfig } from '../config.ts';
import type { Env } from '../env.ts';
import type { Clock } from '../lib/clock.ts';
import { call } from '../lib/rpc.ts';
import { acceptingShards, anyShard, homeShard } from '../lib/shards.ts';

/**
 * Submits checked tasks: to any shard that takes new ones or, where repeats must be noticed or tasks counted together, to the owner’s home.
 *
 * With several shards an owner’s home may once have been another one. So every other shard is asked first what it has answered under the keys:
 * a repeat gets the answer of the first time for as long as that is kept, however the shards have changed meanwhile.
 */
export async function submitTasks(
  env: Env,
  clock: Clock,
  principal: Principal,
  tasks: NewTask[],
  request: RequestKey | null,
): Promise<Submitted[]> {
  const config = loadConfig(env);
  const shards = acceptingShards(config);
  const isKeyed = request !== null || tasks.some((task) => task.idempotency_key !== null);
  const isAtHome = isKeyed || tasks.some((task) => task.concurrency !== undefined);
  const shard = isAtHome ? homeShard(principal.sub, shards) : anyShard(clock.random(), shards);
  const others = Array.from({ length: config.shards }, (_, other) => other).filter((other) => other !== shard);
  if (!isKeyed || others.length === 0) {
    return call(brokerShard(env, shard).submit(principal, tasks, request ?? undefined));
  }
  const query: RecallQuery = { request, tasks: tasks.map(keyOf) };
  const recalled = await Promise.all(others.map((other) => call(brokerShard(env, other).recall(principal, query))));
  const answered = recalled.find((one) => one.request !== null)?.request;
  if (answered) return answered;
  return call(brokerShard(env, shard).submit(principal, tasks, request ?? undefined, knownOf(tasks, recalled)));
}

function keyOf(task: NewTask): RecallQuery['tasks'][number] {
  return task.idempotency_key === null ? null : { key: task.idempotency_key, digest: taskDigest(task) };
}

function knownOf(tasks: readonly NewTask[], recalled: readonly Recalled[]): (Submitted | null)[] {
  return tasks.map((_, index) => recalled.find((one) => one.tasks[index])?.tasks[index] ?? null);
}
