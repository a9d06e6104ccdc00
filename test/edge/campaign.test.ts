import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { CampaignSpec, Json, JsonObject } from '#protocol';
import { rehearse } from '../../edge/campaign/core/rehearse.ts';
import { exportJson } from '../../edge/campaign/core/views.ts';
import { readFile, writeFile } from '../../edge/files/access.ts';
import { filesObject } from '../../edge/files/rpc.ts';
import { alice, bob, codeOf, ok } from './helpers/broker.ts';
import { FakeClock } from './helpers/clock.ts';
import { boxSpec, CampaignWorld, compute, poolCsv, poolSpec, testEnv } from './helpers/campaign.ts';

/** What a campaign comes to without a grid: the same for everyone who runs it. */
async function rehearsed(world: CampaignWorld, spec: CampaignSpec): Promise<{ observations: Json[]; history: Json[] }> {
  const core = await rehearse(world.id, spec, {
    read: () => Promise.resolve(new TextEncoder().encode(poolCsv)),
    write: () => Promise.resolve(),
    delete: () => Promise.resolve(),
    execute: ({ task, kwargs }) => Promise.resolve(compute(task, kwargs)),
    now: () => 0,
  });
  const { observations, history } = JSON.parse(exportJson(core, { owner: 'alice', taskId: world.taskId })) as {
    observations: Json[];
    history: JsonObject[];
  };
  return { observations, history: history.map(timeless) };
}

function timeless(iteration: JsonObject): JsonObject {
  return { ...iteration, seconds: 0 };
}

async function outcome(world: CampaignWorld): Promise<{ observations: Json[]; history: Json[] }> {
  const { observations, history } = await world.export();
  return { observations, history: history.map(timeless) };
}

describe('a campaign', () => {
  it('answers at once, and its task is its result in the end', async () => {
    const world = await CampaignWorld.start(poolSpec());
    const before = await world.view();
    expect(before).toMatchObject({ state: 'RUNNING', reason: null, task_id: world.taskId, owner: 'alice' });
    await world.settle();
    expect(await ok(world.broker.get(alice, world.taskId))).toMatchObject({ state: 'STARTED', task: 'run_campaign' });
    const after = await world.work();
    expect(after).toMatchObject({ state: 'SUCCESS', reason: 'Budget used up: 9 of 9 evaluations.' });
    expect(after.progress).toEqual({ evaluated: 9, budget: 9, fraction: 1, step: 'finished' });
    expect(await ok(world.broker.get(alice, world.taskId))).toMatchObject({
      state: 'SUCCESS',
      result: { campaign_id: world.id, evaluated: 9, reason: after.reason, best: after.best },
    });
  });

  it('comes to what a rehearsal in one process comes to, over a pool', async () => {
    const world = await CampaignWorld.start(poolSpec());
    await world.work();
    expect(await outcome(world)).toEqual(await rehearsed(world, poolSpec()));
  });

  it('comes to what a rehearsal in one process comes to, in a box', async () => {
    const world = await CampaignWorld.start(boxSpec());
    await world.work();
    expect(await outcome(world)).toEqual(await rehearsed(world, boxSpec()));
  });

  it.each([
    ['over a pool', poolSpec()],
    ['in a box', boxSpec()],
  ])('comes to the same when everything is evicted before each report, %s', async (_, spec) => {
    const world = await CampaignWorld.start(spec);
    await world.evict();
    expect(await world.work(() => world.evict())).toMatchObject({ state: 'SUCCESS' });
    expect(await outcome(world)).toEqual(await rehearsed(world, spec));
  });

  it('comes to the same when results arrive in another order', async () => {
    const world = await CampaignWorld.start(boxSpec());
    await world.work(undefined, (tasks) => tasks.reverse());
    expect(await outcome(world)).toEqual(await rehearsed(world, boxSpec()));
  });

  it('gives many observations to training by a file, over evictions, and deletes it', async () => {
    const inputs = Array.from({ length: 99 }, (_, k) => ({ name: `x${k}`, type: 'float' as const, min: 0, max: 1 }));
    const world = await CampaignWorld.start(boxSpec({ space: { inputs }, initial: 60, budget: 61, batch_size: 1 }));
    world.compute = (task, kwargs) =>
      task === 'evaluate_candidates'
        ? { state: 'SUCCESS', result: { values: [{ y: 1 }], failed: [] }, error: null }
        : compute(task, kwargs);
    for (const assignment of await world.lease()) await world.report(assignment);
    await world.evict();
    const [training] = await world.lease(1);
    const path = `/campaigns/${world.id}/observations-1.csv`;
    expect(training!.kwargs).toMatchObject({ dataset_path: path });
    const csv = new TextDecoder().decode(await readFile(testEnv, 'alice', path));
    expect(csv.trimEnd().split('\r\n')).toHaveLength(61);
    await world.report(training!);
    expect(await world.work(() => world.evict())).toMatchObject({ state: 'SUCCESS', progress: { evaluated: 61 } });
    await expect(readFile(testEnv, 'alice', path)).rejects.toMatchObject({ code: 'file_not_found' });
  });

  it('keeps the newest model’s files and deletes the others', async () => {
    const deleted: string[] = [];
    const world = await CampaignWorld.start(poolSpec());
    const { model_paths: paths } = await world.work(async () => {
      for (const { path } of await world.rows<{ path: string }>('SELECT path FROM doomed_files')) deleted.push(path);
    });
    expect(paths).toEqual([0, 1, 2].map((group) => `/campaigns/${world.id}/models/3-${group}.json`));
    expect(await world.rows('SELECT * FROM doomed_files')).toEqual([]);
    expect(await world.rows('SELECT * FROM tasks')).toEqual([]);
  });

  it('is kept for a month once it is over, and deleted with its files then', async () => {
    const world = await CampaignWorld.start(poolSpec());
    await world.settle();
    const mine = [{ inputs: { a: 1, b: 1 }, values: { y: 3 } }];
    await ok(world.api.observations(alice, mine, { key: 'k', bodyDigest: 'd' }));
    const { model_paths: paths } = await world.work();
    await writeFile(testEnv, 'alice', paths[0]!, new Uint8Array([1]), 'application/json');
    const passDays = (days: number): Promise<void> =>
      runInDurableObject(world.stub, async ({ clock, campaigning: { engine } }) => {
        clock.source = new FakeClock(Date.now() + days * 86_400_000);
        await engine.alarm();
      });
    await passDays(29);
    expect(await world.view()).toMatchObject({ state: 'SUCCESS', model_paths: paths });
    await passDays(31);
    expect(await codeOf(world.api.view(alice))).toBe('not_found');
    expect(await codeOf(filesObject(testEnv).find('alice', paths[0]!))).toBe('not_found');
    for (const table of [
      'campaign',
      'candidates',
      'iterations',
      'pool',
      'tasks',
      'doomed_files',
      'requests',
      'alarms',
    ]) {
      expect(await world.rows(`SELECT * FROM ${table}`)).toEqual([]);
    }
    await world.evict();
    expect(await codeOf(world.api.view(alice))).toBe('not_found');
  });

  it('that ended when campaigns were kept for ever is kept for a month from when it is looked at', async () => {
    const world = await CampaignWorld.start(poolSpec());
    await ok(world.api.stop(alice));
    await world.settle();
    await runInDurableObject(world.stub, (_, state) => {
      state.storage.sql.exec(`DELETE FROM alarms; UPDATE campaign SET head = json_set(head, '$.finishedMs', 1)`);
    });
    await world.evict();
    expect(await world.view()).toMatchObject({ state: 'STOPPED' });
    await runInDurableObject(world.stub, (campaign) => campaign.alarm());
    const [alarm] = await world.rows<{ name: string; due_ms: number }>('SELECT * FROM alarms');
    expect(alarm).toMatchObject({ name: 'retention' });
    expect(alarm!.due_ms).toBeGreaterThan(Date.now() + 29 * 86_400_000);
  });

  it('is created once: a repeat is answered alike, another specification is a conflict', async () => {
    const world = await CampaignWorld.start(poolSpec());
    const again = await ok(world.api.create(alice, world.id, poolSpec()));
    expect(again).toEqual({ campaign_id: world.id, task_id: world.taskId });
    expect(await codeOf(world.api.create(alice, world.id, poolSpec({ seed: 2 })))).toBe('idempotency_conflict');
    await ok(world.api.stop(alice));
  });

  it('names every fault of a specification that does not fit together', async () => {
    const spec = boxSpec({ initial: 9, objectives: [{ name: 'a', goal: 'max' }] });
    const reply = await new CampaignWorld().api.create(alice, new CampaignWorld().id, spec);
    expect(reply).toMatchObject({
      error: {
        code: 'invalid_request',
        details: { faults: [{ path: 'objectives.0.name' }, { path: 'initial' }] },
      },
    });
  });

  it('is nobody else’s, and leaves nothing behind where there is none', async () => {
    const world = await CampaignWorld.start(poolSpec());
    expect(await codeOf(world.api.view(bob))).toBe('not_found');
    expect(await codeOf(world.api.stop(bob))).toBe('not_found');
    await ok(world.api.stop(alice));
    const stranger = new CampaignWorld();
    expect(await codeOf(stranger.api.view(alice))).toBe('not_found');
    expect(await stranger.rows(`SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'`)).toEqual([]);
  });
});

describe('what a person can do to a campaign', () => {
  it('pauses between steps and goes on from there, over an eviction', async () => {
    const world = await CampaignWorld.start(poolSpec());
    const initial = await world.lease();
    expect((await ok(world.api.pause(alice))).state).toBe('PAUSED');
    for (const assignment of initial) await world.report(assignment);
    expect(await world.lease()).toEqual([]);
    expect((await world.view()).progress).toMatchObject({ evaluated: 3, step: expect.stringMatching(/^paused: /) });
    await world.evict();
    expect((await ok(world.api.resume(alice))).state).toBe('RUNNING');
    await world.work();
    expect(await outcome(world)).toEqual(await rehearsed(world, poolSpec()));
  });

  it('stops it with what it has found; what is under way is revoked', async () => {
    const world = await CampaignWorld.start(poolSpec());
    for (const assignment of await world.lease()) await world.report(assignment);
    const training = await world.lease(1);
    const stopped = await ok(world.api.stop(alice));
    expect(stopped).toMatchObject({ state: 'STOPPED', reason: 'Stopped by alice.', progress: { evaluated: 3 } });
    await world.settle();
    expect(await ok(world.broker.get(alice, training[0]!.task_id))).toMatchObject({ state: 'REVOKED' });
    expect(await ok(world.broker.get(alice, world.taskId))).toMatchObject({
      state: 'SUCCESS',
      result: { reason: 'Stopped by alice.', evaluated: 3 },
    });
    expect(await codeOf(world.api.pause(alice))).toBe('conflict');
    expect((await ok(world.api.stop(alice))).state).toBe('STOPPED');
    expect(await world.lease()).toEqual([]);
  });

  it('stops it by revoking its task', async () => {
    const world = await CampaignWorld.start(poolSpec());
    await world.settle();
    await ok(world.broker.revoke(alice, world.taskId, true));
    await world.settle();
    expect(await world.view()).toMatchObject({ state: 'STOPPED' });
    expect(await world.lease()).toEqual([]);
  });

  it('adds results of one’s own, once for a key', async () => {
    const world = await CampaignWorld.start(poolSpec());
    await world.lease();
    const mine = [{ inputs: { a: 4, b: 2 }, values: { y: 50 } }];
    const request = { key: 'k', bodyDigest: 'd' };
    const first = await ok(world.api.observations(alice, mine, request));
    expect(first).toEqual({ accepted: 1, total: 4 });
    expect(await ok(world.api.observations(alice, mine, request))).toEqual(first);
    expect(await codeOf(world.api.observations(alice, mine, { key: 'k', bodyDigest: 'e' }))).toBe(
      'idempotency_conflict',
    );
    expect((await world.view()).best).toEqual({ inputs: { a: 4, b: 2 }, values: { y: 50 } });
    const wrong = [{ inputs: { a: 4, c: 2 }, values: { y: 1 } }];
    expect(await codeOf(world.api.observations(alice, wrong))).toBe('invalid_request');
    await ok(world.api.stop(alice));
    expect(await codeOf(world.api.observations(alice, mine))).toBe('conflict');
  });

  it('exports it as JSON and CSV, also into files', async () => {
    const world = await CampaignWorld.start(poolSpec());
    await world.work();
    const { body } = await ok(world.api.exportAs(alice, 'csv'));
    const lines = body.trimEnd().split('\r\n');
    expect(lines[0]).toBe('index,iteration,origin,state,a,b,y,y predicted,y predicted std,error');
    expect(lines).toHaveLength(10);
    expect(lines[4]).toMatch(/^3,1,surrogate,observed,\d,\d,-?\d+,5,1,$/);
    const paths = await ok(world.api.exportResults('alice', ['json', 'csv'], '/exports'));
    expect(paths).toEqual([`/exports/${world.id}.json`, `/exports/${world.id}.csv`]);
    expect(new TextDecoder().decode(await readFile(testEnv, 'alice', paths[1]!))).toBe(body);
  });

  it('reads its history in pages', async () => {
    const world = await CampaignWorld.start(poolSpec());
    await world.work();
    const page = async (query: object) =>
      (await ok(world.api.view(alice, query))).history.map(({ iteration }) => iteration);
    expect(await page({})).toEqual([0, 1, 2, 3]);
    expect(await page({ limit: 2 })).toEqual([2, 3]);
    expect(await page({ after: 0, limit: 2 })).toEqual([1, 2]);
    expect(await page({ limit: 0 })).toEqual([]);
  });
});

describe('what can go wrong in a campaign', () => {
  it('is not shaken by messages that come twice, or about tasks that are not its own', async () => {
    const world = await CampaignWorld.start(poolSpec());
    const [task] = await world.lease();
    await world.report(task!);
    await world.settle();
    const before = await outcome(world);
    const [{ seq }] = (await world.rows<{ seq: number }>('SELECT seq FROM inbox')) as [{ seq: number }];
    const item = {
      task_id: task!.task_id,
      ref: 'evaluate.0.0',
      state: 'SUCCESS',
      error: null,
      result: { values: [], failed: [] },
    };
    const sender = { object: 'broker', name: 'broker-0' } as const;
    const body = { type: 'finished', items: [item, { ...item, ref: 'train.1.0' }] };
    expect(await ok(world.api.deliver(sender, [{ seq, body }]))).toBe(seq);
    expect(await ok(world.api.deliver(sender, [{ seq: seq + 2, body }]))).toBe(seq);
    expect(await outcome(world)).toEqual(before);
    await ok(world.api.stop(alice));
  });

  it('ends in words when a file is missing', async () => {
    const world = await CampaignWorld.start(poolSpec({ space: { pool: '/datasets/none.csv' } }));
    await world.settle();
    const reason = '/datasets/none.csv: the file does not exist';
    expect(await world.view()).toMatchObject({ state: 'FAILURE', reason });
    expect(await ok(world.broker.get(alice, world.taskId))).toMatchObject({
      state: 'FAILURE',
      error: { type: 'invalid_input', message: reason },
    });
  });

  it('ends in words when a part of it fails for good', async () => {
    const world = await CampaignWorld.start(poolSpec());
    world.compute = (task, kwargs) =>
      task === 'train_surrogate'
        ? { state: 'FAILURE', result: null, error: { type: 'invalid_input', message: 'learningRate: too large' } }
        : compute(task, kwargs);
    expect(await world.work()).toMatchObject({
      state: 'FAILURE',
      reason: 'Training the surrogate failed: invalid_input: learningRate: too large',
    });
  });

  it('records failed evaluations and goes on with others', async () => {
    const world = await CampaignWorld.start(boxSpec());
    let evaluations = 0;
    world.compute = (task, kwargs) =>
      task === 'evaluate_candidates' && ++evaluations === 2
        ? { state: 'SUCCESS', result: { values: [null], failed: [{ index: 0, error: 'exploded' }] }, error: null }
        : compute(task, kwargs);
    const view = await world.work();
    expect(view).toMatchObject({ state: 'SUCCESS', progress: { evaluated: 7 } });
    const { observations } = await world.export();
    expect(observations.filter((one) => (one as JsonObject).state === 'failed')).toMatchObject([
      { index: 1, values: null, error: 'exploded' },
    ]);
  });

  it('tells events of its course', async () => {
    const world = await CampaignWorld.start(poolSpec());
    await world.work();
    const events = await world.brokerEvents();
    const kinds = events.map(({ type }) => type).filter((type) => type !== 'campaign-progress');
    expect(kinds).toEqual([
      'campaign-started',
      ...['campaign-iteration', 'campaign-iteration', 'campaign-iteration', 'campaign-iteration'],
      'campaign-finished',
    ]);
    const steps = events.flatMap(({ type, data }) => (type === 'campaign-progress' ? [(data as JsonObject).step] : []));
    expect(steps).toContain('iteration 1: training the surrogate, 0 of 3 parts');
  });
});
