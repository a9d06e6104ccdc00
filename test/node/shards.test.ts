import { describe, expect, it } from 'vitest';
import { WebSocket } from 'undici';
import { shardOf, type TaskId } from '#protocol';
import { Grid, map, signature, withLabels } from '../../client/sdk/index.ts';
import { freshFolder, startTestServe, startTestWorker } from './helpers/processes.ts';
import { until } from './helpers/wait.ts';

interface ShardView {
  state: 'active' | 'draining' | 'drained';
}

const sphere = { evaluator: { kind: 'builtin' as const, name: 'sphere' } };

/** Tasks that the edge and workers run, some of them under a concurrency limit, each with what it comes to. */
function mixed(count: number, queue: string) {
  return Array.from({ length: count }, (_, k) => {
    const counted = k % 5 === 0 ? { concurrencyKey: 'licence', concurrencyLimit: 2 } : {};
    const options = { queue, labels: ['mixed'], ...counted };
    if (k % 3 === 0) return { task: signature('ping', {}, { labels: ['mixed'] }), result: { status: 'pong' } };
    if (k % 3 === 1) {
      const task = signature('evaluate_candidates', { candidates: [[k, 2]], ...sphere }, options);
      return { task, result: { values: [{ y: k * k + 4 }], failed: [] } };
    }
    const points = Array.from({ length: 1001 }, (_, i) => [i, k - i]);
    const task = signature('compute_pareto_front', { points, directions: ['max', 'max'] }, options);
    return { task, result: { front: points.map((_, index) => index) } };
  });
}

/** A member of the grid, whose home is another shard than the others’. */
class Owner {
  readonly grid: Grid;
  readonly submitted: { id: TaskId; result: object }[] = [];

  constructor(url: string, token: string) {
    this.grid = new Grid({ url, token, WebSocket });
  }

  async submit(work: ReturnType<typeof mixed>): Promise<TaskId[]> {
    const tasks = await this.grid.submitAll(work.map(({ task }) => task));
    this.submitted.push(...tasks.map(({ id }, index) => ({ id, result: work[index]!.result })));
    return tasks.map(({ id }) => id);
  }
}

describe('an edge of several shards', () => {
  it('runs tasks of all kinds over them, and loses none when one is drained in the middle', async () => {
    const state = await freshFolder();
    const before = await startTestServe(state, 0, { shards: 3 });
    const shards = async (): Promise<ShardView[]> =>
      (await before.grid.request<{ shards: ShardView[] }>('GET', '/v1/shards')).shards;
    const owners = await Promise.all(
      ['bob', 'ann', 'eve'].map(async (sub) => {
        const scope = ['submit', 'read'];
        const { token } = await before.grid.request<{ token: string }>('POST', '/v1/tokens', { scope, sub });
        return new Owner(before.url, token);
      }),
    );
    const early = startTestWorker(before, 'early', ['--concurrency', '2']);
    const homes = await Promise.all(
      // Nobody serves the queue `later` yet.
      owners.map(async (owner) => [
        ...(await owner.submit(mixed(18, 'default'))),
        ...(await owner.submit(mixed(9, 'later'))),
      ]),
    );
    expect(homes.map((ids) => [...new Set(ids.map(shardOf))])).toEqual([[0], [1], [2]]);
    const [, , eve] = owners as [Owner, Owner, Owner];
    const keyed = { idempotencyKey: 'once', labels: ['mixed'] };
    const once = await eve.grid.submit('ping', {}, keyed);
    const items = Array.from({ length: 30 }, (_, k) => [[k, 1]]);
    const array = await eve.grid.run(
      withLabels(map('evaluate_candidates', items, { kwargs: sphere, queue: 'later' }), 'array'),
    );
    await eve.grid.result(eve.submitted[1]!.id).get();
    expect((await shards()).map((shard) => shard.state)).toEqual(['active', 'active', 'active']);

    await before.running.stop();
    await startTestServe(state, Number(new URL(before.url).port), { shards: 3, drainingShards: [2] });
    expect((await shards()).map((shard) => shard.state)).toEqual(['active', 'active', 'draining']);
    for (const owner of owners) {
      expect((await owner.submit(mixed(18, 'default'))).map(shardOf)).not.toContain(2);
    }
    expect((await eve.grid.submit('ping', {}, keyed)).id).toBe(once.id);
    const late = startTestWorker(before, 'late', ['--concurrency', '2', '--queues', 'default,later']);

    for (const { grid, submitted } of owners) {
      const results = await Promise.all(submitted.map(({ id }) => grid.result(id).get()));
      expect(results).toMatchObject(submitted.map(({ result }) => result));
      const listed: string[] = [];
      for await (const task of grid.tasks({ label: 'mixed', state: 'SUCCESS' })) listed.push(task.task_id);
      const own = grid === eve.grid ? [once.id] : [];
      expect(listed.sort()).toEqual([...own, ...submitted.map(({ id }) => id)].sort());
    }
    expect(await array.get()).toMatchObject(items.map((_, k) => ({ values: [{ y: k * k + 1 }] })));
    // Once the workflow has told its task.
    await until(async () => (await shards())[2]?.state === 'drained');
    for (const { grid } of owners) grid.close();
    // An edge without sockets is stopped quickly.
    await Promise.all([early.stop(), late.stop()]);
  });
});
