import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome, TaskId, WorkerId } from '#protocol';
import {
  grace,
  hardEndMs,
  isHolder,
  judge,
  leaseEndMs,
  leaseOf,
  LeaseTable,
  renew,
  storedLeases,
  type Lease,
  type Reporter,
} from '../../../edge/broker/leases.ts';
import type { PastAttempt, TaskRecord } from '../../../edge/broker/task-record.ts';

const id = '0-a' as TaskId;
const w1 = 'w1' as WorkerId;
const w2 = 'w2' as WorkerId;
const times = { leaseMs: 30_000, hardLimitGraceMs: 5_000 };

function lease(more: Partial<Lease> = {}): Lease {
  return {
    taskId: id,
    attempt: 1,
    workerId: w1,
    lane: 1,
    sub: 'alice',
    givenMs: 0,
    limitMs: 60_000,
    startedMs: null,
    expiresMs: 30_000,
    isExact: false,
    group: null,
    progress: null,
    graces: 0,
    mayHaveSnapshot: true,
    ...more,
  };
}

describe('the end of a lease', () => {
  it('is a period after the last heartbeat', () => {
    expect(leaseEndMs(lease(), null, times)).toBe(30_000);
    expect(leaseEndMs(lease(), 100_000, times)).toBe(130_000);
    expect(leaseEndMs(lease({ group: 'lab', expiresMs: 65_000 }), 100_000, times)).toBe(65_000);
  });

  it('is for a computation also its hard limit and a grace', () => {
    expect(hardEndMs(lease(), times)).toBe(Infinity);
    expect(hardEndMs(lease({ startedMs: 1_000 }), times)).toBe(66_000);
  });

  it('is put off by a restart, but not for ever', () => {
    const silent = lease({ expiresMs: 0 });
    const lengthened = Array.from({ length: 7 }, (_, restart) => grace(silent, true, restart * 40_000, times));
    expect(lengthened).toEqual([true, true, true, true, true, false, false]);
    renew(silent, 500_000, times);
    expect(silent).toMatchObject({ graces: 0, expiresMs: 530_000 });
    const rebuilt = lease({ expiresMs: 0 });
    expect([grace(rebuilt, false, 0, times), grace(rebuilt, false, 20_000, times)]).toEqual([true, false]);
    expect(rebuilt.expiresMs).toBe(30_000);
    expect(grace(lease({ isExact: true, expiresMs: 0 }), false, 0, times)).toBe(false);
    expect(grace(lease({ isExact: true, expiresMs: 0 }), true, 0, times)).toBe(true);
  });
});

describe('the holder of a lease', () => {
  it('is the worker with the attempt; over HTTP its token; for a group any of the same owner', () => {
    const reporter = { sub: 'alice', workerId: w1 };
    expect(isHolder(lease(), 1, reporter)).toBe(true);
    expect(isHolder(lease(), 2, reporter)).toBe(false);
    expect(isHolder(lease(), 1, { ...reporter, workerId: w2 })).toBe(false);
    expect(isHolder(lease(), 1, { sub: 'alice', workerId: null })).toBe(true);
    expect(isHolder(lease(), 1, { sub: 'bob', workerId: null })).toBe(false);
    expect(isHolder(lease({ group: 'lab' }), 1, { ...reporter, workerId: w2 })).toBe(true);
    expect(isHolder(lease({ group: 'lab' }), 1, { sub: 'bob', workerId: w2 })).toBe(false);
  });
});

/** A task under one worker each time, as a model: who holds it, what was reported, what is final. */
describe('judging reports', () => {
  type Step =
    | { type: 'give'; to: WorkerId }
    | { type: 'lose' }
    | { type: 'report'; from: WorkerId; attempt: number; outcome: 'success' | 'released' };
  const worker = fc.constantFrom(w1, w2);
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ type: fc.constant('give' as const), to: worker }),
    fc.constant<Step>({ type: 'lose' }),
    fc.record({
      type: fc.constant('report' as const),
      from: worker,
      attempt: fc.integer({ min: 1, max: 4 }),
      outcome: fc.constantFrom('success' as const, 'released' as const),
    }),
  );

  it('uses at most one result, never of an attempt after which the task was given to somebody, and answers repeats alike', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const record = { id, attempt: 0, history: [] as PastAttempt[], finishedMs: null } as unknown as TaskRecord;
        let held: Lease | undefined;
        let results = 0;
        const given: WorkerId[] = [];
        const end = (attempt: number, by: WorkerId, outcome: PastAttempt['outcome']): void => {
          record.history = [
            ...record.history.filter((past) => past.attempt !== attempt),
            { attempt, worker: by, startedMs: 0, endedMs: 0, outcome },
          ];
        };
        for (const now of steps) {
          if (now.type === 'give' && held === undefined && record.finishedMs === null) {
            given.push(now.to);
            held = lease({ attempt: record.attempt + 1, workerId: now.to });
          } else if (now.type === 'lose' && held !== undefined) {
            end(held.attempt, held.workerId, 'lost');
            record.attempt = held.attempt;
            held = undefined;
          } else if (now.type === 'report') {
            const reporter: Reporter = { sub: 'alice', workerId: now.from };
            const outcome: Outcome['type'] = now.outcome;
            const isAuthor = (author: WorkerId): boolean => author === now.from;
            const verdict = judge(record, held, now.attempt, outcome, reporter, isAuthor);
            if (given[now.attempt - 1] !== now.from) expect(verdict).toBe('lost');
            if (now.attempt < given.length) expect(verdict).not.toBe('current');
            if (verdict === 'current' || verdict === 'late') {
              expect(now.attempt).toBe(given.length);
              expect(record.finishedMs).toBeNull();
              if (verdict === 'current' || outcome === 'success') end(now.attempt, now.from, outcome);
              record.attempt = now.attempt;
              held = undefined;
              if (outcome === 'success') {
                results++;
                record.finishedMs = 1;
              }
              if (verdict === 'current' || outcome === 'success') {
                expect(judge(record, held, now.attempt, outcome, reporter, isAuthor)).toBe('repeat');
              }
            }
          }
        }
        expect(results).toBeLessThanOrEqual(1);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the table of leases', () => {
  it('survives its rows, and says which grants are in none', () => {
    const table = new LeaseTable();
    const other = '0-b' as TaskId;
    table.grant(lease({ startedMs: 5, group: 'lab', progress: { fraction: 0.5 }, graces: 2, isExact: true }));
    expect([...table.dirty]).toEqual([w1]);
    table.grant(lease({ taskId: other, attempt: 3, workerId: w2, isExact: false }));
    expect([[...table.dirty], [...table.logged]]).toEqual([[w1], [w2]]);
    const again = new LeaseTable();
    again.restore(
      [w1, w2].flatMap((worker) => storedLeases(table.serialise(worker)).map((each) => leaseOf(worker, 'alice', each))),
      7,
    );
    expect([...again.all()]).toEqual([table.get(id), table.get(other)]);
    expect(again.countOf(w1)).toBe(1);
    expect(again.checkpointSeq).toBe(7);
  });

  it('never gives one task twice', () => {
    const table = new LeaseTable();
    table.grant(lease());
    expect(() => table.grant(lease({ attempt: 2, workerId: w2 }))).toThrow('already leased');
  });
});
