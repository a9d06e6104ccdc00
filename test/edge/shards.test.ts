import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { shardOf, type Scope, type Submitted, type TaskId, type TaskView } from '#protocol';
import { createApp } from '../../edge/api/app.ts';
import type { QueueView, TaskPage } from '../../edge/broker/rpc.ts';
import { systemClock } from '../../edge/lib/clock.ts';
import { homeShard } from '../../edge/lib/shards.ts';
import { origin, refusal, testEnv, tokenFor } from './helpers/api.ts';

const app = createApp(systemClock);
const everything: Scope[] = ['submit', 'read', 'work', 'admin'];

/** The edge as a deployment with these shards. */
function deployment(config: { shards: number; drainingShards?: number[] }) {
  const env = { ...testEnv, TABGRID_CONFIG: JSON.stringify(config) };
  const ask = (sub: string, method: string, path: string, json?: unknown, key?: string) =>
    app.fetch(
      new Request(`${origin}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${tokenFor(everything, { sub })}`,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      }),
      env,
    );
  const got = async <T>(...request: Parameters<typeof ask>): Promise<T> => {
    const answer = await ask(...request);
    if (!answer.ok) throw new Error(`${request[2]}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  };
  return { env, ask, got };
}

const signature = (x: number, key?: string) => ({
  task: 'evaluate_candidates',
  kwargs: { candidates: [{ x }], evaluator: { kind: 'named', name: 'sim' } },
  ...(key === undefined ? {} : { idempotency_key: key }),
});

/** An owner whose home is this shard. */
function ownerAt(home: number, shards: readonly number[], others: (owner: string) => boolean = () => true): string {
  for (let n = 0; ; n++) {
    const owner = `owner-${n}`;
    if (homeShard(owner, shards) === home && others(owner)) return owner;
  }
}

const admin = 'operator';
type Shards = { shards: { shard: number; state: string; unfinished: number; has_tasks: boolean }[] };

/** Evaluates everything that waits. */
async function workOff({ got }: ReturnType<typeof deployment>): Promise<void> {
  const capabilities = { runtime: 'node', cores: 1, gpu: false, tasks: ['evaluate_candidates'], evaluators: ['sim'] };
  for (;;) {
    const request = { queues: ['default', 'low_priority', 'evaluations'], capabilities, count: 50 };
    const { leases } = await got<{
      leases: { task_id: TaskId; attempt: number; kwargs: { candidates: { x: number }[] } }[];
    }>(admin, 'POST', '/v1/leases', request);
    if (leases.length === 0) return;
    for (const { task_id: id, attempt, kwargs } of leases) {
      const result = { values: kwargs.candidates.map(({ x }) => ({ y: 2 * x })), failed: [] };
      await got(admin, 'POST', `/v1/leases/${id}/result`, { attempt, result });
    }
  }
}

describe('an edge that grows from one shard to three and then drains one', () => {
  it('loses nothing: keys are recognised, results are there, and the sums are right', async () => {
    const one = deployment({ shards: 1 });
    const three = deployment({ shards: 3 });
    const draining = deployment({ shards: 3, drainingShards: [2] });
    // Whose home moves when the edge grows, whose stays, and whose moves back.
    const mover = ownerAt(2, [0, 1, 2]);
    const stayer = ownerAt(0, [0, 1, 2]);
    const settler = ownerAt(1, [0, 1, 2]);

    const first = await one.got<Submitted>(mover, 'POST', '/v1/tasks', signature(1, 'a'));
    const second = await one.got<Submitted>(mover, 'POST', '/v1/tasks', signature(2), 'request 2');
    const kept = await one.got<Submitted>(stayer, 'POST', '/v1/tasks', signature(3, 'a'));
    expect([first, second, kept].map(({ task_id: id }) => shardOf(id))).toEqual([0, 0, 0]);

    // Grown: every key is recognised, with what was submitted under it.
    expect(await three.got(mover, 'POST', '/v1/tasks', signature(1, 'a'))).toEqual(first);
    expect(await three.got(mover, 'POST', '/v1/tasks', signature(2), 'request 2')).toEqual(second);
    expect(await three.got(stayer, 'POST', '/v1/tasks', signature(3, 'a'))).toEqual(kept);
    expect(await refusal(await three.ask(mover, 'POST', '/v1/tasks', signature(99, 'a')))).toMatchObject({
      status: 409,
      code: 'idempotency_conflict',
    });
    // What is new goes to the new home, together with what is known, and a repeat of all gets the same answer.
    const mixture = [signature(4, 'b'), signature(1, 'a'), signature(5)];
    const mixed = await three.got<{ tasks: Submitted[] }>(mover, 'POST', '/v1/tasks', mixture, 'mixture');
    expect(mixed.tasks.map(({ task_id: id }) => shardOf(id))).toEqual([2, 0, 2]);
    expect(mixed.tasks[1]).toEqual(first);
    expect(await three.got(mover, 'POST', '/v1/tasks', mixture, 'mixture')).toEqual(mixed);
    const settled = await three.got<Submitted>(settler, 'POST', '/v1/tasks', signature(6, 'a'));
    expect(shardOf(settled.task_id)).toBe(1);
    const spread: Submitted[] = [];
    for (let n = 0; n < 24; n++)
      spread.push(await three.got<Submitted>(settler, 'POST', '/v1/tasks', signature(100 + n)));
    expect(new Set(spread.map(({ task_id: id }) => shardOf(id)))).toEqual(new Set([0, 1, 2]));

    // Drained: shard 2 gets nothing new, and what was submitted there is recognised.
    expect(await draining.got(mover, 'POST', '/v1/tasks', mixture, 'mixture')).toEqual(mixed);
    expect(await draining.got(mover, 'POST', '/v1/tasks', signature(4, 'b'))).toEqual(mixed.tasks[0]);
    const later: Submitted[] = [];
    for (let n = 0; n < 12; n++)
      later.push(await draining.got<Submitted>(mover, 'POST', '/v1/tasks', signature(200 + n, `k${n}`)));
    for (let n = 0; n < 12; n++)
      later.push(await draining.got<Submitted>(mover, 'POST', '/v1/tasks', signature(300 + n)));
    expect(later.map(({ task_id: id }) => shardOf(id))).not.toContain(2);

    const all = [first, second, kept, ...mixed.tasks, settled, ...spread, ...later];
    const ids = [...new Set(all.map(({ task_id: id }) => id))];
    const atTwo = ids.filter((id) => shardOf(id) === 2).length;
    const before = await draining.got<Shards>(admin, 'GET', '/v1/shards');
    expect(before.shards).toMatchObject([
      { shard: 0, state: 'active' },
      { shard: 1, state: 'active' },
      { shard: 2, state: 'draining', unfinished: atTwo, has_tasks: true },
    ]);
    const waitingIn = async () => {
      const { queues } = await draining.got<{ queues: QueueView[] }>(admin, 'GET', '/v1/queues');
      return queues.reduce((sum, { waiting }) => sum + waiting, 0);
    };
    expect(await waitingIn()).toBe(ids.length);

    await workOff(draining);
    const after = await draining.got<Shards>(admin, 'GET', '/v1/shards');
    expect(after.shards.map(({ state, unfinished }) => [state, unfinished])).toEqual([
      ['active', 0],
      ['active', 0],
      ['drained', 0],
    ]);
    expect(await waitingIn()).toBe(0);
    for (const id of ids) {
      const { state, kwargs, result } = await draining.got<TaskView>(admin, 'GET', `/v1/tasks/${id}`);
      const [{ x }] = kwargs.candidates as [{ x: number }];
      expect([state, result]).toEqual(['SUCCESS', { values: [{ y: 2 * x }], failed: [] }]);
    }
    const listed: TaskId[] = [];
    let cursor = '';
    do {
      const page = await draining.got<TaskPage>(admin, 'GET', `/v1/tasks?limit=9&cursor=${cursor}`);
      listed.push(...page.tasks.map(({ task_id: id }) => id));
      cursor = page.next_cursor ?? '';
    } while (cursor !== '');
    expect(listed.sort()).toEqual([...ids].sort());

    const succeeded = await metric(draining, /^tabgrid_tasks_finished_total\{.*state="SUCCESS".*\} (\d+)$/gm);
    expect(succeeded).toBe(ids.length);
    // Results stay readable by their ids, and their keys recognised, after the shard has been drained.
    expect(await draining.got(mover, 'POST', '/v1/tasks', signature(4, 'b'))).toMatchObject({
      task_id: mixed.tasks[0]!.task_id,
    });
  });
});

/** The sum of a metric, asked of a monitor that knows of the shards. */
async function metric({ env, ask }: ReturnType<typeof deployment>, pattern: RegExp): Promise<number> {
  const stub = testEnv.MONITOR.get(testEnv.MONITOR.idFromName('main'));
  await runInDurableObject(stub, (monitor) => void Object.assign(monitor, { env }));
  const text = await (await ask(admin, 'GET', '/metrics')).text();
  return [...text.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
}
