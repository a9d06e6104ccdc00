import { describe, expect, it } from 'vitest';
import { Alarms } from '../../../edge/lib/alarms.ts';
import type { Database } from '../../../edge/lib/sql.ts';
import { StillClock } from './fakes.ts';

/** Rows in memory, and what the runtime’s alarm was set to. */
function setup(rows: { name: string; due_ms: number }[] = [], armedMs: number | null = null) {
  const clock = new StillClock();
  const set: number[] = [];
  const database = { all: () => rows, run: () => 1 } as unknown as Database;
  const storage = {
    getAlarm: () => Promise.resolve(armedMs),
    setAlarm: (atMs: number | Date) => {
      set.push(Number(atMs));
      return Promise.resolve();
    },
  };
  return { clock, set, alarms: new Alarms<'a' | 'b'>(database, storage, clock) };
}

describe('the alarms of an object', () => {
  it('are one of the runtime’s, set to the earliest and only when that changes', () => {
    const { clock, set, alarms } = setup();
    const nowMs = clock.now();
    alarms.set('a', nowMs + 100);
    alarms.arm();
    alarms.set('b', nowMs + 200);
    alarms.arm();
    alarms.setBy('b', nowMs + 50);
    alarms.setBy('b', nowMs + 300);
    alarms.arm();
    expect(set).toEqual([nowMs + 100, nowMs + 50]);
    expect(alarms.take(nowMs + 60)).toEqual(['b']);
  });

  it('are never set for a time that has come, which may be that of the one that is running', () => {
    const { clock, set, alarms } = setup();
    const nowMs = clock.now();
    alarms.fired();
    alarms.set('a', nowMs);
    alarms.arm();
    alarms.set('b', nowMs - 10);
    alarms.arm();
    expect(set).toEqual([nowMs + 1]);
  });

  it('are set anew when the object is built and finds that they should have fired', async () => {
    const { clock, set, alarms } = setup([{ name: 'a', due_ms: 900_000 }], 900_000);
    alarms.verify();
    await Promise.resolve();
    expect(set).toEqual([clock.now() + 1]);
  });

  it('are left alone when the object is built in time', async () => {
    const { set, alarms } = setup([{ name: 'a', due_ms: 2_000_000 }], 2_000_000);
    alarms.verify();
    await Promise.resolve();
    expect(set).toEqual([]);
  });
});
