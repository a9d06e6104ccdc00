import { describe, expect, it } from 'vitest';
import { scheduleSpecSchema, faultsOf, taskIdSchema } from '#protocol';
import { taskIdOf } from '../../../edge/beat/work.ts';
import { idTimeMs } from '../../../edge/lib/ids.ts';

describe('the id of a tick’s task', () => {
  const tickMs = Date.parse('2026-01-01T00:00:00Z');

  it('follows from the schedule and the tick alone, and tells its time', () => {
    const id = taskIdOf('a', { tickMs }, [0, 3, 7]);
    expect(taskIdSchema.safeParse(id).success).toBe(true);
    expect(taskIdOf('a', { tickMs }, [0, 3, 7])).toBe(id);
    expect(idTimeMs(id)).toBe(tickMs);
  });

  it('is another one for another schedule, tick or request', () => {
    const ids = [
      taskIdOf('a', { tickMs }, [0]),
      taskIdOf('b', { tickMs }, [0]),
      taskIdOf('a', { tickMs: tickMs + 1000 }, [0]),
      taskIdOf('a', { key: 'x', nowMs: tickMs }, [0]),
      taskIdOf('a', { key: 'y', nowMs: tickMs }, [0]),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('spreads ticks over the shards', () => {
    const shards = Array.from({ length: 400 }, (_, k) =>
      taskIdOf('a', { tickMs: tickMs + k * 1000 }, [0, 1, 2, 3]).charAt(0),
    );
    for (const shard of '0123') expect(shards.filter((each) => each === shard).length).toBeGreaterThan(60);
  });
});

describe('what PUT takes', () => {
  const faults = (value: unknown): string[] => {
    const parsed = scheduleSpecSchema.safeParse(value);
    return parsed.success ? [] : faultsOf(parsed.error).map(({ path }) => path);
  };
  const signature = { task: 'ping' };

  it.each<[string, unknown, string[]]>([
    ['nothing', {}, ['schedule', 'signature']],
    ['no kind', { schedule: {}, signature }, ['schedule.every']],
    ['two kinds', { schedule: { every: 5, crontab: '* * * * *' }, signature }, ['schedule.crontab']],
    ['too often', { schedule: { every: 0.5 }, signature }, ['schedule.every']],
    ['no event of the sun', { schedule: { solar: 'moonrise', lat: 0, lon: 0 }, signature }, ['schedule.solar']],
    ['no place on Earth', { schedule: { solar: 'sunset', lat: 91, lon: 0 }, signature }, ['schedule.lat']],
    ['a time without a zone', { schedule: { at: '2030-01-01T00:00:00' }, signature }, ['schedule.at']],
    ['an unknown key', { schedule: { every: 5 }, signature, color: 'red' }, ['color']],
    ['an unknown policy', { schedule: { every: 5 }, signature, catch_up: 'some' }, ['catch_up']],
    ['an ETA', { schedule: { every: 5 }, signature: { task: 'ping', eta: '2030-01-01T00:00:00Z' } }, ['signature.eta']],
    [
      'a key for all ticks',
      { schedule: { every: 5 }, signature: { task: 'ping', idempotency_key: 'k' } },
      ['signature.idempotency_key'],
    ],
    [
      'an end that is a time',
      { schedule: { every: 5 }, signature: { task: 'ping', expires: '2030-01-01T00:00:00Z' } },
      ['signature.expires'],
    ],
    ['a canvas without parts', { schedule: { every: 5 }, signature: { chain: [] } }, ['signature.chain']],
    [
      'times in a canvas that come once',
      {
        schedule: { every: 5 },
        signature: {
          chain: [
            { ...signature, eta: '2030-01-01T00:00:00Z' },
            { chord: { header: [signature], body: { ...signature, expires: '2030-01-01T00:00:00Z' } } },
          ],
          link_error: { ...signature, eta: '2030-01-01T00:00:00Z' },
        },
      },
      ['signature.link_error.eta', 'signature.chain.0.eta', 'signature.chain.1.chord.body.expires'],
    ],
  ])('refuses %s by its path', (_, value, paths) => expect(faults(value)).toEqual(paths));

  it('may be a canvas', () => {
    const canvas = { chain: [{ ...signature, countdown: 5 }, { group: [signature] }], labels: ['nightly'] };
    const spec = { schedule: { every: 5 }, signature: canvas };
    expect(scheduleSpecSchema.parse(spec)).toMatchObject(spec);
  });

  it('fills in what is customary', () => {
    expect(scheduleSpecSchema.parse({ schedule: { every: 5 }, signature })).toEqual({
      schedule: { every: 5 },
      signature,
      enabled: true,
      catch_up: 'last',
    });
  });
});
