import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, inject, it, vi } from 'vitest';
import type { Broker } from '../../edge/broker/broker.ts';
import type { Env } from '../../edge/env.ts';
import { simulate, type Schedule } from './simulation/simulate.ts';

const asked = inject('simulation');

function say(text: string): void {
  // eslint-disable-next-line no-console -- whoever replays a seed reads it
  console.log(text);
}

/** Schedules on the storage of one object. */
function schedules(seeds: readonly number[], traces = false): Promise<Schedule[]> {
  // What the broker logs of failures that the simulation makes.
  for (const level of ['info', 'warn', 'error'] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
  const { BROKER } = env as unknown as Env;
  const stub = BROKER.get(BROKER.idFromName('broker-simulation'));
  return runInDurableObject(stub, async (_: Broker, state) => {
    const done: Schedule[] = [];
    for (const seed of seeds) done.push(await simulate(state.storage, seed, traces));
    await state.storage.deleteAlarm();
    return done;
  });
}

describe('the broker on a fake clock', () => {
  it('ends every task once, loses nothing and comes to rest, whatever goes wrong', async () => {
    const seeds = Array.from({ length: asked.schedules }, (_, index) => asked.seed + index);
    const done = await schedules(seeds, asked.trace);
    if (asked.trace) say(done.flatMap(({ trace }) => trace).join('\n'));
    const tasks = done.reduce((sum, one) => sum + one.tasks, 0);
    const steps = done.reduce((sum, one) => sum + one.steps, 0);
    say(`${done.length} schedules, ${tasks} tasks, ${steps} steps`);
    // A simulation in which nothing happens would prove nothing.
    expect(tasks).toBeGreaterThan(done.length * 3);
    expect(steps).toBeGreaterThan(done.length * 100);
  });

  it('is the same again with the same seed', async () => {
    const [first, second] = [await schedules([7], true), await schedules([7], true)];
    expect(second).toEqual(first);
  });
});
