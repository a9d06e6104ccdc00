import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { GridEvent, JsonObject, WorkflowView } from '#protocol';
import { readFile } from '../../edge/files/access.ts';
import { faultPaths, refusal, testEnv } from './helpers/api.ts';
import { ok } from './helpers/broker.ts';
import { FakeClock } from './helpers/clock.ts';
import { bigText, call, WorkflowWorld } from './helpers/workflow.ts';

/** Three pairs joined by a task that runs at the edge, then a step that does not look at what came before. */
const canvas = {
  chain: [
    { group: [{ chain: [call('sum', 1), call('pair')] }, call('pair', 5), call('pair', 7)] },
    { task: 'compute_pareto_front', kwargs: { directions: ['max', 'max'] } },
    { ...call('sum', 40), immutable: true },
  ],
  labels: ['nightly'],
};

describe('a workflow', () => {
  it('answers at once, joins results, and is its task’s result in the end', async () => {
    const world = await WorkflowWorld.start(canvas);
    expect(await world.view()).toMatchObject({
      workflow_id: world.id,
      task_id: world.taskId,
      owner: world.owner,
      state: 'STARTED',
      total: 6,
      running: 3,
      succeeded: 0,
      failed: 0,
      result: null,
      labels: ['nightly'],
    });
    const after = await world.work();
    expect(after).toMatchObject({ state: 'SUCCESS', succeeded: 6, running: 0, result: [[41]], error: null });
    const task = await (await world.ask('GET', `/v1/tasks/${world.taskId}`)).json();
    expect(task).toMatchObject({ state: 'SUCCESS', task: 'run_workflow', result: [[41]], labels: ['nightly'] });
    const parts = await world.tasks();
    expect(parts).toHaveLength(6);
    for (const part of parts) {
      expect(part).toMatchObject({ parent: { workflow_id: world.id }, labels: ['nightly'], state: 'SUCCESS' });
    }
    expect(parts.find(({ task }) => task === 'compute_pareto_front')?.args).toEqual([
      [
        [2, 98],
        [5, 95],
        [7, 93],
      ],
    ]);
    const events = await (
      await world.ask('GET', `/v1/events/history?workflow_id=${world.id}&limit=1000`)
    ).json<{
      events: GridEvent[];
    }>();
    const own = events.events.filter(({ type }) => type.startsWith('workflow-'));
    expect(own[0]?.type).toBe('workflow-started');
    expect(own.at(-1)).toMatchObject({ type: 'workflow-finished', data: { state: 'SUCCESS', succeeded: 6, total: 6 } });
    expect(events.events.filter(({ type }) => type === 'task-succeeded')).toHaveLength(7);
  });

  it('submits each step once and comes to the same when everything is evicted before each report, in any order', async () => {
    const world = await WorkflowWorld.start(canvas);
    await world.evict();
    const after = await world.work(
      () => world.evict(),
      (tasks) => tasks.reverse(),
    );
    expect(after).toMatchObject({ state: 'SUCCESS', result: [[41]], succeeded: 6 });
    expect(await world.tasks()).toHaveLength(6);
    // The broker says the same again.
    const [said] = await world.rows<{ sender: string; seq: number }>('SELECT sender, seq FROM inbox');
    expect(said?.sender).toBe('broker/broker-0');
    const items = world.given.map(({ task_id, kwargs }) => ({ task_id, ref: '1', state: 'SUCCESS', result: kwargs }));
    const body = { type: 'finished', items } as unknown as JsonObject;
    const sender = { object: 'broker', name: 'broker-0' } as const;
    for (const seq of [1, said!.seq]) await ok(world.api.deliver(sender, [{ seq, body }]));
    expect(await world.view()).toEqual(after);
  });

  it('fails with the first failure; the body never runs, link_error runs once with the error', async () => {
    const world = await WorkflowWorld.start({
      chord: { header: [call('pair', 1), call('fail', 9)], body: call('sum') },
      link_error: { task: 'compute_pareto_front', kwargs: { points: [[1]], directions: ['max'] }, immutable: true },
    });
    const after = await world.work();
    const failed = world.given.find(({ kwargs }) => JSON.stringify(kwargs).includes('"fail"'))!;
    expect(after).toMatchObject({
      state: 'FAILURE',
      total: 3,
      succeeded: 1,
      failed: 1,
      running: 0,
      result: null,
      error: { type: 'task_failed', message: '9 is too much', task_id: failed.task_id, path: 'chord.header.1' },
    });
    const tasks = await world.tasks();
    expect(tasks.map(({ task }) => task)).toEqual([
      'evaluate_candidates',
      'evaluate_candidates',
      'compute_pareto_front',
    ]);
    expect(await (await world.ask('GET', `/v1/tasks/${world.taskId}`)).json()).toMatchObject({
      state: 'FAILURE',
      error: { type: 'task_failed', message: 'chord.header.1: 9 is too much' },
    });
    expect(await (await world.ask('GET', `/v1/workflows/${world.id}/graph`)).text()).toContain('style="filled,dashed"');
  });

  it('fails, and says why, where a step does not take what came before', async () => {
    const world = await WorkflowWorld.start({ chain: [call('pair', 1), call('sum')] });
    // A pair is no list of candidates.
    const refused = await world.work();
    expect(refused).toMatchObject({
      state: 'FAILURE',
      error: { type: 'invalid_arguments', task_id: null, path: 'chain.1' },
    });
    const empty = await WorkflowWorld.start({ chord: { header: [], body: call('sum') } });
    expect(await empty.view()).toMatchObject({
      state: 'FAILURE',
      error: { type: 'invalid_input', path: 'chord.header', message: expect.stringContaining('header') as string },
    });
  });

  it('is revoked with all that is under way, and through its task too', async () => {
    const world = await WorkflowWorld.start(canvas);
    await world.settle();
    const [first] = await world.lease(1);
    const answer = await world.ask('POST', `/v1/workflows/${world.id}/revoke`, { json: { terminate: true } });
    expect(await answer.json()).toMatchObject({ state: 'REVOKED', running: 0 });
    await world.settle();
    await world.report(first!);
    expect((await world.tasks()).map(({ state }) => state)).toEqual(['REVOKED', 'REVOKED', 'REVOKED']);
    expect(await (await world.ask('GET', `/v1/tasks/${world.taskId}`)).json()).toMatchObject({ state: 'REVOKED' });
    const other = await WorkflowWorld.start(canvas);
    await other.settle();
    const waiting = other.ask('GET', `/v1/workflows/${other.id}?wait=60`);
    await other.ask('POST', `/v1/tasks/${other.taskId}/revoke`, { json: {} });
    await other.settle();
    expect(await (await waiting).json<WorkflowView>()).toMatchObject({ state: 'REVOKED' });
    expect((await other.tasks()).map(({ state }) => state)).toEqual(['REVOKED', 'REVOKED', 'REVOKED']);
  });

  it('is started once under an Idempotency-Key, listed by state and label, and nobody else’s', async () => {
    const headers = { 'idempotency-key': 'once' };
    const world = await WorkflowWorld.start(canvas, headers);
    const { id } = world;
    expect((await world.submit(canvas, headers)).workflow_id).toBe(id);
    const conflict = await world.ask('POST', '/v1/workflows', { json: call('sum', 1), headers });
    expect(await refusal(conflict)).toMatchObject({ status: 409, code: 'idempotency_conflict' });
    await world.settle();
    const list = async (query: string): Promise<string[]> => {
      const page = await (await world.ask('GET', `/v1/workflows?${query}`)).json<{ workflows: WorkflowView[] }>();
      return page.workflows.map(({ workflow_id: found }) => found);
    };
    expect(await list('state=STARTED&label=nightly')).toEqual([id]);
    expect(await list('state=SUCCESS')).toEqual([]);
    expect(await list('label=daily')).toEqual([]);
    const stranger = new WorkflowWorld();
    expect((await stranger.ask('GET', `/v1/workflows/${id}`)).status).toBe(404);
    expect((await stranger.ask('GET', `/v1/workflows/${id}/graph`)).status).toBe(404);
    expect((await stranger.ask('POST', `/v1/workflows/${id}/revoke`)).status).toBe(404);
  });

  it('is refused in whole, with the place of each fault', async () => {
    const world = new WorkflowWorld();
    const post = (json: unknown): Promise<Response> => world.ask('POST', '/v1/workflows', { json });
    const answer = await post({
      group: [
        { task: 'nothing' },
        { chain: [call('sum', 1), { ...call('sum'), kwargs: { colour: 1 } }] },
        { chunks: { task: 'evaluate_candidates', items: { range: [0, 20_000_000] }, size: 10 } },
      ],
    });
    expect(await faultPaths(answer.clone())).toEqual([
      'group.0.task',
      'group.1.chain.1.kwargs.colour',
      'group.2.chunks.items',
    ]);
    expect(await refusal(answer)).toMatchObject({ status: 422, code: 'unknown_task' });
    const missing = await post({ starmap: { task: 'ping', items: { file: '/nothing.csv' } } });
    expect(await refusal(missing)).toMatchObject({ status: 404, code: 'file_not_found' });
    expect(await world.tasks()).toEqual([]);
  });

  it.each<[unknown, string[]]>([
    [null, ['']],
    [[{ task: 'ping' }], ['']],
    [{}, ['']],
    [{ task: 'ping', chain: [{ task: 'ping' }] }, ['']],
    [{ chain: [] }, ['chain']],
    [{ chain: [null, { group: 3 }] }, ['chain.0', 'chain.1.group']],
    [{ group: { length: 2 } }, ['group']],
    [{ chord: { header: {}, body: [] } }, ['chord.header', 'chord.body']],
    [{ task: 'toString' }, ['task']],
    [{ task: 'ping', link_error: { chain: [{ task: 'ping' }] } }, ['link_error.task', 'link_error.chain']],
    [{ map: { task: '__proto__', items: [1] } }, ['map.task']],
    [{ starmap: { task: 'ping', items: { range: [0, 1, 0] } } }, ['starmap.items.range.2']],
    [{ starmap: { task: 'ping', items: { file: '../a.csv' } } }, ['starmap.items.file']],
    [{ chunks: { task: 'ping', items: [[]] } }, ['chunks.size']],
    [{ chain: [{ task: 'ping' }], colour: 'red' }, ['colour']],
  ])('made of %j is refused', async (canvas, paths) => {
    const answer = await new WorkflowWorld().ask('POST', '/v1/workflows', { json: canvas });
    expect(answer.status).toBe(422);
    expect(await faultPaths(answer)).toEqual(paths);
  });

  it('is deleted with its files when its retention is over, in batches', async () => {
    const world = await WorkflowWorld.start({ group: [call('big', 1), call('sum', 2)] });
    expect(await world.work()).toMatchObject({ state: 'SUCCESS' });
    const path = `/results/workflows/${world.id}/group.0.json`;
    expect(await world.read(path)).toContain('"sum":1');
    const clock = new FakeClock();
    clock.advance(25 * 3_600_000);
    await world.inside(async (workflow) => {
      workflow.clock.source = clock;
      await workflow.workflowing.engine.alarm();
    });
    expect((await world.ask('GET', `/v1/workflows/${world.id}`)).status).toBe(404);
    expect((await world.ask('GET', `/v1/files${path}`)).status).toBe(404);
    for (const table of ['workflow', 'plan', 'nodes', 'results']) {
      expect(await world.rows(`SELECT * FROM ${table}`)).toEqual([]);
    }
    await world.evict();
    expect((await world.ask('GET', `/v1/workflows/${world.id}`)).status).toBe(404);
  });

  it('spreads its tasks over the shards, whose answers it joins', async () => {
    const world = new WorkflowWorld();
    const steps = Array.from({ length: 12 }, (_, n) => call('pair', n));
    world.id = `w-${'0'.repeat(10)}${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}` as typeof world.id;
    await world.inside(({ workflowing: { engine } }) => {
      Object.assign(engine, { config: { ...engine.config, shards: 2 } });
    });
    await ok(world.api.create(world.principal, world.id, { group: steps } as never, {}, ''));
    await world.settle([0, 1]);
    for (const shard of [0, 1]) {
      const tasks = await world.lease(100, shard);
      expect(tasks.length).toBeGreaterThan(0);
      for (const task of tasks) await world.report(task, shard);
    }
    await world.settle([0, 1]);
    expect((await world.view()).result).toEqual(steps.map((_, n) => [n, 100 - n]));
    await runInDurableObject(world.shardStub(1), (_, state) => state.storage.deleteAlarm());
  });
});

describe('results that are large', () => {
  it('are files, named in their place: in arguments, in groups, and as the whole', async () => {
    const big = call('big', 1);
    const world = await WorkflowWorld.start({
      chain: [{ group: [big, big] }, { task: 'compute_pareto_front', kwargs: { directions: ['max'] } }],
    });
    const after = await world.work();
    const files = [0, 1].map((index) => ({ file: `/results/workflows/${world.id}/chain.0.group.${index}.json` }));
    // The join is given names of files, which is nothing for this task.
    expect(after).toMatchObject({ state: 'FAILURE', error: { type: 'invalid_arguments', path: 'chain.1' } });
    expect(JSON.parse(await world.read(files[1]!.file))).toEqual({ sum: 1, text: bigText });
    const whole = await WorkflowWorld.start(big);
    expect(await whole.work(() => whole.evict())).toMatchObject({
      state: 'SUCCESS',
      result: { file: `/results/workflows/${whole.id}/result.json` },
    });
    const bytes = await readFile(testEnv, whole.owner, `/results/workflows/${whole.id}/result.json`);
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual({ sum: 1, text: bigText });
  });
});
