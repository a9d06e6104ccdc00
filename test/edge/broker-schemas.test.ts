import { describe, expect, it, onTestFinished } from 'vitest';
import type { TaskId, WorkerId } from '#protocol';

import { brokerMigrations } from '../../edge/broker/schema.ts';
import { alice, BrokerWorld, helloFrame, ok, success } from './helpers/broker.ts';
import { FakeClock } from './helpers/clock.ts';
import { store, type StoredTables } from './helpers/stored.ts';

interface Stored {
  shard: number;
  nowMs: number;
  names: Record<string, TaskId> & { requested: TaskId[] };
  tables: StoredTables;
}

/** By schema, what the code of its time had written after the same day’s work. */
const stored = import.meta.glob<Stored>('./schemas/broker-*.json', { eager: true, import: 'default' });

/** A shard as that version left it, opened by this one. */
async function opened(version: number): Promise<{ world: BrokerWorld; names: Stored['names'] }> {
  const left = stored[`./schemas/broker-${version}.json`];
  if (left === undefined) throw new Error(`no rows of schema ${version} are kept in test/edge/schemas`);
  const world = Object.assign(new BrokerWorld(), { shard: left.shard, clock: new FakeClock(left.nowMs) });
  onTestFinished(() => world.inside((_, state) => state.storage.deleteAlarm()));
  await world.takeClock();
  await world.inside((_, state) => store(state, brokerMigrations.slice(0, version), left.tables));
  await world.hibernate();
  return { world, names: left.names };
}

describe.each(brokerMigrations.map(({ id }) => id))('a shard that was left with schema %i', (version) => {
  it('has everything still, and goes on with it', async () => {
    const { world, names } = await opened(version);
    const { keyed, requested, first, second, third, fourth, eta, gpu, dead, late } = names as Required<typeof names>;
    const states = async (...ids: TaskId[]) => Promise.all(ids.map((id) => world.state(id)));
    expect(await states(first!, second!, third!, fourth!, eta!, gpu!, dead!, late!)).toEqual([
      'SUCCESS',
      'RETRY',
      'STARTED',
      'RECEIVED',
      'PENDING',
      'PENDING',
      'REVOKED',
      'PENDING',
    ]);
    expect(await world.get(first!)).toMatchObject({
      result: { values: [{ y: 1 }], failed: [] },
      labels: ['kept'],
      priority: 7,
    });
    expect(await world.get(third!)).toMatchObject({ progress: { fraction: 0.5 }, worker: 'w1' });

    // Keys are known.
    const again = world.task({ idempotency_key: 'once', labels: ['kept'], priority: 7 });
    expect(await ok(world.api.submit(alice, [again]))).toMatchObject([{ task_id: keyed }]);
    const repeat = await ok(world.api.submit(alice, [again], { key: 'request', bodyDigest: 'digest' }));
    expect(repeat.map(({ task_id: id }) => id)).toEqual(requested);

    // The worker comes back with what it holds; others take the rest.
    const holding = [third!, fourth!].map((id) => ({ task_id: id, attempt: 1 }));
    const worker = await world.connect();
    worker.say(helloFrame({ holding }));
    expect(await worker.next('welcome')).toMatchObject({ lost: [] });
    const outcomes = (items: typeof holding) => items.map((ref) => ({ ...ref, outcome: success(), runtime_ms: 1 }));
    worker.say({ type: 'outcomes', items: outcomes(holding), credits: 0 });
    expect((await worker.ack()).map(({ status }) => status)).toEqual(['recorded', 'recorded']);
    await world.advance(3_700_000);
    const other = await world.worker({ worker_id: 'w2' as WorkerId, queues: ['default', 'gpu_training'], credits: 9 });
    const given: typeof holding = [];
    while (given.length < 4) given.push(...(await other.next('tasks')).items);
    other.say({
      type: 'outcomes',
      items: outcomes(given.map(({ task_id, attempt }) => ({ task_id, attempt }))),
      credits: 0,
    });
    await other.ack();
    expect(await states(first!, second!, third!, fourth!, eta!, gpu!, dead!, late!)).toEqual([
      'SUCCESS',
      'SUCCESS',
      'SUCCESS',
      'SUCCESS',
      'SUCCESS',
      'SUCCESS',
      'REVOKED',
      'SUCCESS',
    ]);

    const stats = await ok(world.api.stats());
    const succeeded = stats.tallies.events.filter(({ type }) => type === 'task-succeeded');
    expect(succeeded.reduce((sum, { count }) => sum + count, 0)).toBe(7);
    const { tasks } = await ok(world.api.list(alice, {}));
    expect(tasks).toHaveLength(8);
    const page = await ok(world.api.events(alice, { query: {}, limit: 500 }));
    expect(page.events.map(({ type }) => type)).toContain('task-sent');
    // And everything is forgotten in its time.
    for (let n = 0; n < 3; n++) await world.advance(90_000_000);
    expect(await world.rows('SELECT id FROM tasks')).toEqual([]);
    expect(await world.rows('SELECT key FROM idempotency')).toEqual([]);
  });
});
