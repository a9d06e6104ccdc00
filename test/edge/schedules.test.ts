import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { ScheduleSummary, ScheduleView } from '#protocol';
import { beatAddress } from '../../edge/beat/rpc.ts';
import { ask, faultPaths, refusal, testEnv, tokenFor } from './helpers/api.ts';

const ada = tokenFor(['submit', 'read'], { sub: 'ada' });
const bob = tokenFor(['submit', 'read'], { sub: 'bob' });
const admin = tokenFor(['admin'], { sub: 'root' });
const daily = { schedule: { crontab: '0 3 * * *', timezone: 'Europe/Vienna' }, signature: { task: 'ping' } };

function put(name: string, json: unknown, headers: Record<string, string> = {}, token = ada): Promise<Response> {
  return ask('PUT', `/v1/schedules/${name}`, { token, json, headers });
}

async function namesOf(token: string, query = ''): Promise<string[]> {
  const answer = await ask('GET', `/v1/schedules${query}`, { token });
  const { schedules } = await answer.json<{ schedules: ScheduleSummary[] }>();
  return schedules.map(({ owner, name }) => `${owner}/${name}`);
}

describe('a schedule over HTTP', () => {
  it('is made, shown, replaced and deleted, under its entity tag', async () => {
    const made = await put('nightly', daily);
    expect(made.status).toBe(201);
    const etag = made.headers.get('etag')!;
    const view = await made.json<ScheduleView>();
    expect(view).toMatchObject({ name: 'nightly', owner: 'ada', task: 'ping', enabled: true, catch_up: 'last' });
    expect(view.next_runs).toHaveLength(5);
    expect(view.next_runs[0]).toBe(view.next_run);
    expect(Date.parse(view.next_run!)).toBeGreaterThan(Date.now());
    const shown = await ask('GET', '/v1/schedules/nightly', { token: ada });
    expect(shown.headers.get('etag')).toBe(etag);
    expect(await shown.json()).toEqual(view);

    expect(await refusal(await put('nightly', daily, { 'if-none-match': '*' }))).toMatchObject({ status: 412 });
    expect(await refusal(await put('nightly', daily, { 'if-match': '"another"' }))).toMatchObject({ status: 412 });
    const paused = await put('nightly', { ...daily, enabled: false }, { 'if-match': etag });
    expect(paused.status).toBe(200);
    expect(paused.headers.get('etag')).not.toBe(etag);
    expect(await paused.json()).toMatchObject({ enabled: false, next_run: null, next_runs: [] });

    const stale = await ask('DELETE', '/v1/schedules/nightly', { token: ada, headers: { 'if-match': etag } });
    expect(stale.status).toBe(412);
    expect((await ask('DELETE', '/v1/schedules/nightly', { token: ada })).status).toBe(204);
    expect((await ask('DELETE', '/v1/schedules/nightly', { token: ada })).status).toBe(404);
  });

  it('runs at once when asked, and the task is there when the answer is', async () => {
    await put('now', { ...daily, enabled: false });
    const headers = { 'idempotency-key': 'run-1' };
    const run = await ask('POST', '/v1/schedules/now/run', { token: ada, headers });
    expect(run.status).toBe(202);
    const { task_id: id } = await run.json<{ task_id: string }>();
    const again = await ask('POST', '/v1/schedules/now/run', { token: ada, headers });
    expect(await again.json()).toMatchObject({ task_id: id });
    const task = await ask('GET', `/v1/tasks/${id}?wait=30`, { token: ada });
    expect(await task.json()).toMatchObject({
      state: 'SUCCESS',
      labels: ['schedule:now'],
      parent: { schedule: 'now', tick: null },
      owner: 'ada',
    });
    await put('other', { ...daily, enabled: false });
    expect(await refusal(await ask('POST', '/v1/schedules/other/run', { token: ada, headers }))).toMatchObject({
      code: 'idempotency_conflict',
    });
  });

  it('comes by itself when its time has come', async () => {
    await put('soon', { schedule: { at: new Date(Date.now() + 300).toISOString() }, signature: { task: 'ping' } });
    let tasks: { task_id: string; parent: unknown }[] = [];
    while (tasks.length === 0) {
      const answer = await ask('GET', '/v1/tasks?label=schedule:soon', { token: ada });
      ({ tasks } = await answer.json<{ tasks: typeof tasks }>());
    }
    expect(tasks).toHaveLength(1);
    expect(await (await ask('GET', '/v1/schedules/soon', { token: ada })).json()).toMatchObject({
      total_runs: 1,
      last_task_id: tasks[0]!.task_id,
      next_run: null,
    });
  });

  it('is its owner’s alone, and an admin’s', async () => {
    await put('mine', daily, {}, bob);
    for (const token of [ada]) {
      expect((await ask('GET', '/v1/schedules/mine', { token })).status).toBe(404);
      expect((await ask('DELETE', '/v1/schedules/mine', { token })).status).toBe(404);
      expect((await ask('POST', '/v1/schedules/mine/run', { token })).status).toBe(404);
      expect((await ask('GET', '/v1/schedules/mine?owner=bob', { token })).status).toBe(403);
      expect((await put('mine?owner=bob', daily, {}, token)).status).toBe(403);
      expect((await ask('GET', '/v1/schedules?owner=bob', { token })).status).toBe(403);
    }
    expect(await namesOf(bob)).toEqual(['bob/mine']);
    expect(await namesOf(ada)).not.toContain('bob/mine');
    expect(await namesOf(admin)).toEqual(expect.arrayContaining(['ada/now', 'bob/mine']));
    expect(await namesOf(admin, '?owner=bob')).toEqual(['bob/mine']);
    expect((await ask('GET', '/v1/schedules/mine', { token: admin })).status).toBe(404);
    const run = await ask('POST', '/v1/schedules/mine/run?owner=bob', { token: admin });
    const { task_id: id } = await run.json<{ task_id: string }>();
    expect(await (await ask('GET', `/v1/tasks/${id}`, { token: bob })).json()).toMatchObject({ owner: 'bob' });
    expect((await ask('DELETE', '/v1/schedules/mine?owner=bob', { token: admin })).status).toBe(204);
  });

  it('stands in a list by name, page after page', async () => {
    const token = tokenFor(['submit', 'read'], { sub: 'lister' });
    for (const name of ['c', 'a', 'b']) await put(name, daily, {}, token);
    const first = await (
      await ask('GET', '/v1/schedules?limit=2', { token })
    ).json<{ schedules: ScheduleSummary[]; next_cursor: string }>();
    expect(first.schedules.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(first.schedules[0]).not.toHaveProperty('signature');
    expect(await namesOf(token, `?limit=2&cursor=${first.next_cursor}`)).toEqual(['lister/c']);
    expect(await faultPaths(await ask('GET', '/v1/schedules?cursor=nonsense', { token }))).toEqual(['cursor']);
  });
});

describe('a schedule that does not fit', () => {
  const every = { every: 60 };

  it.each<[string, unknown, string, string[]]>([
    ['an unknown task', { schedule: every, signature: { task: 'nothing' } }, 'unknown_task', ['signature.task']],
    [
      'a wrong argument',
      { schedule: every, signature: { task: 'ping', kwargs: { loud: true } } },
      'invalid_arguments',
      ['signature.kwargs.loud'],
    ],
    [
      'a task that only an object runs',
      { schedule: every, signature: { task: 'run_campaign', kwargs: { campaign_id: 'c' } } },
      'invalid_request',
      ['signature.task'],
    ],
    [
      'half a chord',
      { schedule: every, signature: { chord: {} } },
      'invalid_request',
      ['signature.chord.header', 'signature.chord.body'],
    ],
    [
      'a canvas with an unknown task',
      { schedule: every, signature: { chain: [{ task: 'nothing' }] } },
      'unknown_task',
      ['signature.chain.0.task'],
    ],
    ['text for a signature', { schedule: every, signature: 'ping' }, 'invalid_request', ['signature']],
    ['null', null, 'invalid_request', ['']],
    ['a list', [daily], 'invalid_request', ['']],
    ['a bad crontab', { ...daily, schedule: { crontab: '99 * * * *' } }, 'invalid_request', ['schedule.crontab']],
    [
      'a crontab that never comes',
      { ...daily, schedule: { crontab: '0 0 31 4 *' } },
      'invalid_request',
      ['schedule.crontab'],
    ],
    [
      'a zone that is none',
      { ...daily, schedule: { crontab: '* * * * *', timezone: '../etc/passwd' } },
      'invalid_request',
      ['schedule.timezone'],
    ],
    [
      'a sun that never rises',
      { ...daily, schedule: { solar: 'sunrise', lat: 90, lon: 0 } },
      'invalid_request',
      ['schedule.solar'],
    ],
    [
      'a time that has passed',
      { ...daily, schedule: { at: '2020-01-01T00:00:00Z' } },
      'invalid_request',
      ['schedule.at'],
    ],
    ['null for enabled', { ...daily, enabled: null }, 'invalid_request', ['enabled']],
    ['an endless interval', { ...daily, schedule: { every: 1e12 } }, 'invalid_request', ['schedule.every']],
  ])('is refused with the path: %s', async (_, body, code, paths) => {
    const answer = await put('bad', body);
    expect(answer.status).toBe(422);
    const { code: actual, details } = await refusal(answer);
    expect(actual).toBe(code);
    expect(details?.faults?.map(({ path }) => path)).toEqual(paths);
    expect((await ask('GET', '/v1/schedules/bad', { token: ada })).status).toBe(404);
  });

  it('by its name is refused too', async () => {
    expect(await faultPaths(await put('a%20b', daily))).toEqual(['name']);
    expect(await faultPaths(await put('x'.repeat(49), daily))).toEqual(['name']);
    expect((await put('x'.repeat(48), daily)).status).toBe(201);
    expect((await ask('GET', `/v1/schedules/${'y'.repeat(400)}`, { token: ada })).status).toBe(404);
  });

  it('leaves the present one as it is', async () => {
    await put('kept', daily);
    await put('kept', { ...daily, schedule: { crontab: 'x' } });
    expect(await (await ask('GET', '/v1/schedules/kept', { token: ada })).json()).toMatchObject(daily);
    const stub = testEnv.BEAT.get(testEnv.BEAT.idFromName(beatAddress.name));
    const rows = await runInDurableObject(stub, (_, state) =>
      state.storage.sql.exec('SELECT * FROM schedules WHERE next_ms IS NULL AND last_error IS NOT NULL').toArray(),
    );
    expect(rows).toEqual([]);
  });
});
