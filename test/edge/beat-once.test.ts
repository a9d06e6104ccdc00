import { describe, expect, it } from 'vitest';
import { BeatWorld } from './helpers/beat.ts';
import { ok } from './helpers/broker.ts';

describe('a tick comes exactly once when the object dies', () => {
  it('before its transaction ends', async () => {
    const world = await BeatWorld.create();
    const tick = world.in(60);
    await world.put('t');
    await world.pass(60);
    await world.inside(async ({ engine }) => {
      const ran = engine.store.ran.bind(engine.store);
      engine.store.ran = (...args) => {
        ran(...args);
        throw new Error('the object dies');
      };
      await expect(engine.alarm()).rejects.toThrow('the object dies');
    });
    expect(await world.waiting()).toEqual([]);
    expect((await world.view('t')).total_runs).toBe(0);
    await world.evict();
    await world.ring();
    expect(await world.ticks('t')).toEqual([tick]);
    expect((await world.view('t')).total_runs).toBe(1);
  });

  it('between deciding and submitting', async () => {
    const world = await BeatWorld.create();
    const tick = world.in(60);
    await world.put('t');
    await world.mute();
    await world.advance(60);
    expect(await world.waiting()).toHaveLength(1);
    expect(await world.tasks('t')).toEqual([]);
    await world.evict();
    await world.delivered();
    expect(await world.ticks('t')).toEqual([tick]);
  });

  it('between deciding and submitting, and its alarm is lost with it', async () => {
    const world = await BeatWorld.create();
    const tick = world.in(60);
    await world.put('t');
    await world.mute();
    await world.advance(60);
    await world.inside(async (_, state) => {
      state.storage.sql.exec('DELETE FROM alarms');
      await state.storage.deleteAlarm();
    });
    await world.evict();
    await world.delivered();
    expect(await world.ticks('t')).toEqual([tick]);
  });

  it('after submitting, before it knows that the task arrived', async () => {
    const world = await BeatWorld.create();
    const tick = world.in(60);
    await world.put('t');
    await world.mute();
    await world.advance(60);
    await world.deliverUnacknowledged();
    expect(await world.ticks('t')).toEqual([tick]);
    await world.evict();
    await world.delivered();
    expect(await world.ticks('t')).toEqual([tick]);
  });

  it('and is set back to before the tick, as by a backup', async () => {
    const world = await BeatWorld.create();
    const tick = world.in(60);
    await world.put('t');
    await world.advance(60);
    await world.inside((_, state) => {
      state.storage.sql.exec('UPDATE schedules SET next_ms = ?, total_runs = 0', Date.parse(tick));
    });
    await world.evict();
    await world.ring();
    expect((await world.view('t')).total_runs).toBe(1);
    expect(await world.waiting()).toEqual([]);
    expect(await world.ticks('t')).toEqual([tick]);
  });

  it('while somebody runs it by hand: neither is lost nor doubled', async () => {
    const world = await BeatWorld.create();
    const tick = world.in(60);
    await world.put('t');
    await world.mute();
    await world.pass(60);
    const { task_id: byHand } = await ok(world.api.run('alice', `${world.prefix}t`, null));
    await world.alarm();
    expect(await world.waiting()).toHaveLength(2);
    await world.evict();
    await world.delivered();
    const tasks = await world.tasks('t');
    expect(tasks).toHaveLength(2);
    expect(await world.ticks('t')).toEqual(expect.arrayContaining([tick, null]));
    expect(tasks.some(({ task_id }) => task_id === byHand)).toBe(true);
  });

  it('whenever it happens', async () => {
    const world = await BeatWorld.create();
    const startMs = world.clock.now();
    await world.put('fast', { schedule: { every: 7 }, catch_up: 'all' });
    await world.put('slow', { schedule: { every: 31 }, catch_up: 'all' });
    // The same course each time: a small generator instead of chance.
    let seed = 7;
    const draw = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
    for (let step = 0; step < 150; step++) {
      switch (draw(6)) {
        case 0:
          await world.evict();
          break;
        case 1:
          await world.mute();
          break;
        case 2:
          await world.deliverUnacknowledged();
          break;
        case 3:
          await world.alarm();
          break;
        default:
          await world.advance(draw(40));
      }
    }
    await world.evict();
    await world.ring();
    await world.delivered();
    const passed = (world.clock.now() - startMs) / 1000;
    expect(passed).toBeGreaterThan(300);
    for (const [name, period] of [
      ['fast', 7],
      ['slow', 31],
    ] as const) {
      const expected = Array.from({ length: Math.floor(passed / period) }, (_, k) =>
        new Date(startMs + (k + 1) * period * 1000).toISOString(),
      );
      expect(await world.ticks(name)).toEqual(expected);
      expect((await world.view(name)).total_runs).toBe(expected.length);
    }
  });
});
