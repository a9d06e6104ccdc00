import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '#protocol';
import { faultPaths } from './helpers/api.ts';
import { WorkflowWorld, type End } from './helpers/workflow.ts';

const shared = { evaluator: { kind: 'named', name: 'sum' } };

/** Calls with numbers: what workers see of each item is told by `range`. */
function numbers(range: [number, number], size?: number): JsonObject {
  const array = { task: 'evaluate_candidates', items: { range }, kwargs: shared };
  return size === undefined ? { map: array } : { chunks: { ...array, size } };
}

/** A grid is the one array of many items that this task takes: each item is one candidate. */
function grid(count: number, size: number | null = null): JsonObject {
  const side = Math.sqrt(count);
  const values = Array.from({ length: side }, (_, k) => [[k]]);
  const others = Array.from({ length: side }, (_, k) => [`y${k}`]);
  const items = { grid: { candidates: values, objectives: others } };
  const array = { task: 'evaluate_candidates', items, kwargs: shared };
  return size === null ? { starmap: array } : { chunks: { ...array, size } };
}

/** Each item’s result is its number. */
function count({ items }: JsonObject): End {
  const { from, to } = items as { from: number; to: number };
  return { result: Array.from({ length: to - from }, (_, k) => from + k) };
}

describe('an array', () => {
  it('of a million items is accepted at once, with few rows written, and described to workers by a few numbers', async () => {
    const world = new WorkflowWorld();
    await world.submit(grid(1_000_000, 1000));
    const written = await world.inside((workflow) => workflow.workflowing.engine.holder.rowsWritten);
    expect(written).toBeLessThan(25);
    expect(await world.view()).toMatchObject({ total: 1_000_000, running: 8_000, succeeded: 0 });
    await world.settle();
    const before = await runInDurableObject(world.shardStub(0), (broker) => broker.broking.stats().rows_written);
    const small = await WorkflowWorld.start(grid(1_000_000, 1000));
    await small.settle();
    const after = await runInDurableObject(world.shardStub(0), (broker) => broker.broking.stats().rows_written);
    expect(after - before).toBeLessThan(40);
    const [first] = await world.lease(1);
    expect(first).toMatchObject({
      task: 'starmap',
      kwargs: { task: 'evaluate_candidates', kwargs: shared, star: true, items: { from: 0, to: 1000 } },
    });
    for (const each of [world, small]) await each.ask('POST', `/v1/workflows/${each.id}/revoke`, { json: {} });
    await world.settle();
    await small.settle();
  });

  it('runs in ranges whose results are joined in order, over evictions', async () => {
    const world = await WorkflowWorld.start({ chain: [grid(9), { task: 'ping', immutable: true }] });
    world.range = count;
    await world.evict();
    const after = await world.work(
      () => world.evict(),
      (tasks) => tasks.reverse(),
    );
    expect(after).toMatchObject({ state: 'SUCCESS', total: 10, succeeded: 10 });
    const chunks = await WorkflowWorld.start(grid(25, 10));
    chunks.range = count;
    expect((await chunks.work()).result).toEqual([
      Array.from({ length: 10 }, (_, k) => k),
      Array.from({ length: 10 }, (_, k) => 10 + k),
      [20, 21, 22, 23, 24],
    ]);
    const none = await WorkflowWorld.start({ map: { task: 'evaluate_candidates', items: [], kwargs: shared } });
    expect(await none.view()).toMatchObject({ state: 'SUCCESS', total: 0, result: [] });
  });

  it('writes many results as a file of parts, those too that a worker has put into files', async () => {
    const world = await WorkflowWorld.start(grid(4_900, 500));
    const text = 'y'.repeat(2_000);
    const results = (from: number, to: number): Json[] =>
      Array.from({ length: to - from }, (_, k) => ({ k: from + k, text }));
    let files = 0;
    const answers = new Map<number, End>();
    world.range = ({ items }) => answers.get((items as { from: number }).from)!;
    const prepare = async (): Promise<void> => {
      for (const { kwargs } of world.given) {
        const { items, result_path: path } = kwargs as { items: { from: number; to: number }; result_path: string };
        if (answers.has(items.from)) continue;
        const result = results(items.from, items.to);
        if (items.from % 1000 === 0) {
          await world.write(path, JSON.stringify(result));
          answers.set(items.from, { result: { file: path } });
          files++;
        } else {
          answers.set(items.from, { result });
        }
      }
    };
    const after = await world.work(prepare);
    expect(files).toBe(5);
    const path = `/results/workflows/${world.id}/result.json`;
    expect(after).toMatchObject({ state: 'SUCCESS', succeeded: 4_900, result: { file: path } });
    const lists = JSON.parse(await world.read(path)) as { k: number }[][];
    expect(lists.map((list) => list.length)).toEqual([...Array.from({ length: 9 }, () => 500), 400]);
    expect(lists.flat().map(({ k }) => k)).toEqual(Array.from({ length: 4_900 }, (_, k) => k));
  });

  it('over a file keeps the items that it had, whatever becomes of the file', async () => {
    const world = new WorkflowWorld();
    const lines = Array.from({ length: 30 }, (_, k) => JSON.stringify([[[k]]]));
    await world.write('/items.ndjson', `${lines.join('\n')}\n\n`);
    await world.submit({
      starmap: { task: 'evaluate_candidates', items: { file: '/items.ndjson' }, kwargs: shared },
    });
    expect(await world.view()).toMatchObject({ total: 30 });
    await world.write('/items.ndjson', 'nothing');
    await world.settle();
    const [first] = await world.lease(1);
    const { items } = first!.kwargs as { items: { file: string; sha256: string; from: number; to: number } };
    expect(items).toMatchObject({ from: 0, to: 1 });
    expect(await world.read(items.file)).toBe(`${lines.join('\n')}\n\n`);
    await world.report(first!);
    world.range = count;
    const table = new WorkflowWorld();
    await table.write('/rows.csv', 'kind,"a\nb"\nx,1\n"y\n",2\n');
    const refused = await table.ask('POST', '/v1/workflows', {
      json: { starmap: { task: 'evaluate_candidates', items: { file: '/rows.csv' }, kwargs: shared } },
    });
    expect(await faultPaths(refused)).toEqual(['starmap.items']);
    await world.ask('POST', `/v1/workflows/${world.id}/revoke`, { json: {} });
    await world.settle();
  });

  it('has its options on all of its tasks: so many with a key run at a time, and retries are its own', async () => {
    const { map } = numbers([0, 6]) as { map: JsonObject };
    const options = { concurrency_key: 'licence', concurrency_limit: 2, retry_on: ['task_failed'], priority: 8 };
    const items = [[[1]], [[2]], [[3]], [[4]], [[5]]];
    const world = await WorkflowWorld.start({ map: { ...map, items, ...options } });
    world.range = ({ items: part }) => ({ result: part as Json[] });
    await world.settle();
    const [first, second, ...others] = await world.lease();
    expect([first, second]).toMatchObject([{ priority: 8 }, { priority: 8 }]);
    expect(others).toEqual([]);
    await world.report(first!);
    expect(await world.lease()).toHaveLength(1);
    world.range = () => ({ failure: 'not again' });
    await world.report(second!);
    // Whatever the worker says.
    expect((await world.tasks()).find(({ task_id: id }) => id === second!.task_id)).toMatchObject({ state: 'RETRY' });
    await world.ask('POST', `/v1/workflows/${world.id}/revoke`, { json: { terminate: true } });
    await world.settle();
  });

  it('is refused where its first or last item is nothing for the task', async () => {
    const world = new WorkflowWorld();
    const post = async (json: unknown): Promise<string[]> =>
      faultPaths(await world.ask('POST', '/v1/workflows', { json }));
    expect(await post(numbers([0, 5]))).toEqual(['map.items']);
    expect(await post({ map: { task: 'ping', items: [1] } })).toEqual(['map.task']);
    expect(await post({ map: { task: 'evaluate_candidates', items: [[[1]], 7], kwargs: shared } })).toEqual([
      'map.items.1',
    ]);
    expect(await post({ starmap: { task: 'export_results', items: [[]] } })).toEqual(['starmap.task']);
    expect(await post({ starmap: { task: 'starmap', items: [[]] } })).toEqual(['starmap.task']);
  });
});
