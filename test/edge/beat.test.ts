import { describe, expect, it } from 'vitest';
import { limits, scheduleSpecSchema } from '#protocol';
import { noPreconditions } from '../../edge/files/preconditions.ts';
import { BeatWorld, idle } from './helpers/beat.ts';
import { codeOf, ok } from './helpers/broker.ts';

describe('a schedule', () => {
  it('submits its task with each tick, by the alarm that it has set', async () => {
    const world = await BeatWorld.create();
    const first = world.in(60);
    expect(await world.put('a')).toMatchObject({
      name: `${world.prefix}a`,
      owner: 'alice',
      task: 'evaluate_candidates',
      enabled: true,
      catch_up: 'last',
      last_run: null,
      next_run: first,
      next_runs: [60, 120, 180, 240, 300].map((seconds) => world.in(seconds)),
      total_runs: 0,
      last_task_id: null,
    });
    await world.pass(59);
    expect(await world.alarm()).toBe(true);
    expect(await world.tasks('a')).toEqual([]);
    await world.pass(1);
    expect(await world.alarm()).toBe(true);
    const [task, ...more] = await world.tasks('a');
    expect(more).toEqual([]);
    expect(task).toMatchObject({
      owner: 'alice',
      kwargs: idle.kwargs,
      labels: [`schedule:${world.prefix}a`],
      parent: { schedule: `${world.prefix}a`, tick: first },
      created_at: first,
    });
    expect(await world.view('a')).toMatchObject({
      last_run: first,
      next_run: world.in(60),
      total_runs: 1,
      last_task_id: task!.task_id,
    });
  });

  it('keeps its own labels and limits for each task', async () => {
    const world = await BeatWorld.create();
    await world.put('a', { signature: { ...idle, labels: ['mine'], priority: 8, expires: 30, queue: 'ml' } });
    await world.advance(60);
    expect(await world.tasks('a')).toMatchObject([
      { labels: ['mine', `schedule:${world.prefix}a`], priority: 8, queue: 'ml' },
    ]);
  });

  it('at a time comes once, and stays to be seen', async () => {
    const world = await BeatWorld.create();
    const at = world.in(100);
    await world.put('once', { schedule: { at } });
    await world.advance(100);
    await world.advance(1000);
    expect(await world.ticks('once')).toEqual([at]);
    expect(await world.view('once')).toMatchObject({ next_run: null, next_runs: [], total_runs: 1 });
    expect(await world.put('once', { schedule: { at } })).toMatchObject({ next_run: null, total_runs: 1 });
    expect(await world.tasks('once')).toHaveLength(1);
  });

  it('by crontab and by the sun comes when they say', async () => {
    const world = await BeatWorld.create();
    const cron = await world.put('cron', { schedule: { crontab: '*/5 * * * *', timezone: 'Asia/Kolkata' } });
    const sun = await world.put('sun', { schedule: { solar: 'solar_noon', lat: 48.2, lon: 16.4 } });
    await world.advance((Date.parse(cron.next_runs[1]!) - world.clock.now()) / 1000);
    expect(await world.ticks('cron')).toEqual([cron.next_runs[1]]);
    await world.advance((Date.parse(sun.next_run!) - world.clock.now()) / 1000);
    expect(await world.ticks('sun')).toEqual([sun.next_run]);
  });
});

describe('ticks that nobody saw', () => {
  it.each([
    ['none', [] as number[]],
    ['last', [600]],
    ['all', [200, 400, 600]],
  ] as const)('are made up for by the policy “%s”', async (policy, expected) => {
    const world = await BeatWorld.create();
    await world.put('late', { schedule: { every: 200 }, catch_up: policy });
    const times = expected.map((seconds) => world.in(seconds));
    const next = world.in(800);
    await world.pass(700);
    await world.evict();
    await world.ring();
    expect(await world.ticks('late')).toEqual(times);
    expect(await world.view('late')).toMatchObject({ next_run: next, total_runs: times.length });
  });

  it('are made up for up to a hundred, the newest ones', async () => {
    const world = await BeatWorld.create();
    await world.put('late', { schedule: { every: 1 }, catch_up: 'all' });
    const expected = Array.from({ length: 100 }, (_, k) => world.in(99_901 + k));
    await world.advance(100_000);
    expect(await world.ticks('late')).toEqual(expected);
  });
});

describe('what a person does to a schedule', () => {
  it('pauses it: what would have come meanwhile is not made up for, and the interval keeps its phase', async () => {
    const world = await BeatWorld.create();
    await world.put('p', { catch_up: 'all' });
    await world.advance(60);
    expect(await world.put('p', { catch_up: 'all', enabled: false })).toMatchObject({ next_run: null, total_runs: 1 });
    await world.advance(150);
    const resumed = await world.put('p', { catch_up: 'all' });
    expect(resumed.next_run).toBe(world.in(30));
    await world.advance(30);
    expect(await world.tasks('p')).toHaveLength(2);
  });

  it('replaces it: its runs stay, and the times count anew only if they are others', async () => {
    const world = await BeatWorld.create();
    const before = await world.put('e');
    await world.advance(60);
    await world.pass(20);
    const edited = await world.put('e', { signature: { ...idle, priority: 9 } });
    expect(edited).toMatchObject({ total_runs: 1, next_run: world.in(40), created_at: before.created_at });
    expect(edited.last_run).toBe(world.in(-20));
    expect(await world.put('e', { schedule: { every: 50 } })).toMatchObject({ total_runs: 1, next_run: world.in(50) });
  });

  it('replaces it while a tick is overdue: that one comes as it was, once', async () => {
    const world = await BeatWorld.create();
    await world.put('e');
    await world.pass(61);
    await world.put('e', { signature: { ...idle, priority: 9 } });
    await world.advance(60);
    expect((await world.tasks('e')).map(({ priority }) => priority)).toEqual([5, 9]);
  });

  it('deletes it: nothing comes any more, and one of the same name is another', async () => {
    const world = await BeatWorld.create();
    await world.put('d');
    await world.advance(60);
    await ok(world.api.remove('alice', `${world.prefix}d`, noPreconditions));
    await world.advance(600);
    expect(await world.tasks('d')).toHaveLength(1);
    expect(await codeOf(world.api.find('alice', `${world.prefix}d`))).toBe('not_found');
    expect(await world.put('d')).toMatchObject({ total_runs: 0, last_run: null });
  });

  it('runs it now, paused or not, once for a key', async () => {
    const world = await BeatWorld.create();
    await world.put('r', { enabled: false });
    const name = `${world.prefix}r`;
    const request = { key: `key-${name}`, bodyDigest: 'd', sub: 'alice' };
    const first = await ok(world.api.run('alice', name, request));
    expect(await ok(world.api.run('alice', name, request))).toEqual(first);
    expect(await codeOf(world.api.run('alice', name, { ...request, bodyDigest: 'e' }))).toBe('idempotency_conflict');
    const second = await ok(world.api.run('alice', name, null));
    const tasks = await world.tasks('r');
    expect(new Set(tasks.map(({ task_id }) => task_id))).toEqual(new Set([first.task_id, second.task_id]));
    expect(tasks[0]).toMatchObject({ parent: { schedule: name, tick: null }, owner: 'alice' });
    expect(await world.view('r')).toMatchObject({ total_runs: 2, last_task_id: second.task_id, next_run: null });
  });

  it('replaces it, be there as many as there may be', async () => {
    const world = await BeatWorld.create();
    await world.inside((_, state) => {
      state.storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${limits.maxSchedules})
         INSERT INTO schedules (owner, name, id, spec, anchor_ms, created_ms, updated_ms)
         SELECT 'greedy', 's' || i, i, '{}', 0, 0, 0 FROM n`,
      );
    });
    const spec = scheduleSpecSchema.parse({ schedule: { every: 60 }, signature: idle });
    expect((await ok(world.api.put('greedy', 's1', spec, noPreconditions))).created).toBe(false);
  });
});

describe('a schedule that stumbles', () => {
  it('over a task type that is no more tells it, goes on, and holds up nobody', async () => {
    const world = await BeatWorld.create();
    await world.put('gone');
    await world.put('fine');
    await world.inside((_, state) => {
      state.storage.sql.exec(
        `UPDATE schedules SET spec = replace(spec, 'evaluate_candidates', 'long_gone') WHERE name = ?`,
        `${world.prefix}gone`,
      );
    });
    await world.advance(60);
    expect(await world.tasks('fine')).toHaveLength(1);
    expect(await world.view('gone')).toMatchObject({
      last_error: 'no task type is called "long_gone"',
      next_run: world.in(60),
      total_runs: 0,
    });
    expect(await world.put('gone')).toMatchObject({ last_error: null });
  });

  it('over times that no longer can be read stands still until it is edited', async () => {
    const world = await BeatWorld.create();
    await world.put('odd', { schedule: { crontab: '* * * * *' } });
    await world.put('fine');
    await world.inside((_, state) => {
      state.storage.sql.exec(
        `UPDATE schedules SET spec = replace(spec, '* * * * *', '* * * * x') WHERE name = ?`,
        `${world.prefix}odd`,
      );
    });
    await world.advance(60);
    expect(await world.tasks('fine')).toHaveLength(1);
    const { schedules } = await ok(world.api.list('alice', { limit: 100, cursor: null }));
    expect(schedules.find(({ name }) => name === `${world.prefix}odd`)).toMatchObject({
      last_error: expect.stringContaining('the log has the details') as string,
    });
    await world.advance(600);
    expect(await world.put('odd', { schedule: { crontab: '* * * * *' } })).toMatchObject({ last_error: null });
    await world.advance(60);
    expect((await world.view('odd')).total_runs).toBe(1);
  });
});
