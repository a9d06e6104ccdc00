import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelEdge } from './model-edge.ts';
import { heartbeatMs, setup, type FakeExecutor } from './fakes.ts';

const taskCount = 12;

type Step =
  | { do: 'read' | 'drop' | 'drain' }
  | { do: 'assign'; count: number }
  | { do: 'finish' | 'fail' | 'adopt' | 'snapshot'; which: number }
  | { do: 'take_away'; which: number }
  | { do: 'revoke'; which: number; terminate: boolean }
  | { do: 'acknowledge'; order: number; fate: 'deliver' | 'repeat' | 'lose' }
  | { do: 'pass'; ms: number; read: boolean };

const which = fc.nat(taskCount - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('assign' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('finish', 'fail', 'adopt', 'snapshot'), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('take_away' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), which, terminate: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('acknowledge' as const),
      order: fc.nat(20),
      fate: fc.constantFrom('deliver', 'repeat', 'lose'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(12_000), read: fc.boolean() }) },
);

function end(executor: FakeExecutor, number: number, how: 'finish' | 'fail' | 'adopt' | 'snapshot'): void {
  const execution = [...executor.running.values()][number % Math.max(1, executor.running.size)];
  if (!execution) return;
  const { assignment } = execution;
  const error = { type: 'task_failed' as const, message: 'no' };
  switch (how) {
    case 'finish':
      executor.succeed(assignment, `${assignment.task_id} attempt ${assignment.attempt}`);
      return;
    case 'fail':
      executor.tell(assignment, {
        type: 'finished',
        outcome: { type: 'failure', error, retryable: true },
        runtimeMs: 3,
      });
      return;
    case 'adopt':
      executor.tell(assignment, { type: 'adopted', group: 'redis' });
      return;
    case 'snapshot':
      executor.tell(assignment, { type: 'snapshot', snapshot: { kernel_digest: 'ab'.repeat(32), data: '' } });
      return;
  }
}

function run(steps: Step[], drainAt: number | null): void {
  const concurrency = 2;
  const capacity = concurrency * 2;
  const { clock, transport, executor, session } = setup({ concurrency, prefetch: 2 });
  const edge = new ModelEdge(transport, taskCount, capacity);
  /** The edge takes connections and hears heartbeats whenever time passes. */
  const pass = (ms: number) => {
    for (let left = ms; left >= 0; left -= 50) {
      clock.advance(Math.min(50, left));
      const connection = transport.last;
      if (connection.closedBecause === null && connection.frames.length === 0 && !connection.isOpen) connection.open();
      connection.sayText('pong');
    }
  };
  const invariants = () => {
    expect(executor.running.size).toBeLessThanOrEqual(concurrency);
    expect(session.stats.active.length).toBeLessThanOrEqual(capacity);
    expect(edge.faults).toEqual([]);
  };
  session.start();
  pass(0);
  edge.read();
  steps.forEach((one, at) => {
    if (at === drainAt) void session.drain('stopping');
    switch (one.do) {
      case 'read':
        edge.read();
        break;
      case 'drop':
        edge.dropConnection();
        break;
      case 'drain':
        break;
      case 'assign':
        edge.assign(one.count);
        break;
      case 'take_away':
        edge.takeAway(one.which);
        break;
      case 'revoke':
        edge.revoke(one.which, one.terminate);
        break;
      case 'acknowledge':
        edge.acknowledge((items) => {
          const from = one.order % (items.length + 1);
          const rotated = [...items.slice(from), ...items.slice(0, from)];
          if (one.fate === 'repeat') return [...rotated, ...rotated];
          edge.pendingAcks = [];
          return one.fate === 'lose' ? [] : rotated;
        });
        break;
      case 'pass':
        pass(one.ms);
        if (one.read) edge.read();
        break;
      default:
        end(executor, one.which, one.do);
    }
    invariants();
  });
  // From here on nothing goes wrong any more: all must come to an end.
  for (let round = 0; round < 400; round++) {
    pass(round % 10 === 0 ? 2 * heartbeatMs : 50);
    edge.read();
    edge.acknowledge((items) => {
      edge.pendingAcks = [];
      return items;
    });
    if (session.phase === 'closed') break;
    edge.assign(2);
    for (const { assignment } of [...executor.running.values()]) executor.succeed(assignment);
    invariants();
    const over = [...edge.tasks.values()].every(({ state }) => state === 'over' || state === 'adopted');
    if (over && session.stats.unacknowledged === 0 && session.stats.active.length === 0 && drainAt === null) break;
  }
  expect(session.stats).toMatchObject({ active: [], unacknowledged: 0 });
  if (drainAt === null) {
    expect([...edge.tasks.values()].filter(({ state }) => state !== 'over' && state !== 'adopted')).toEqual([]);
    edge.read();
    pass(100);
    edge.read();
    expect(edge.credits).toBe(capacity);
  } else {
    expect(session.phase).toBe('closed');
    expect([...edge.tasks.values()].filter(({ state }) => state === 'leased')).toEqual([]);
  }
}

describe('a session under faults', () => {
  it('ends every task once, gets all its credits back and holds nothing, whatever is lost, repeated or reordered', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => run(steps, null)),
      { numRuns: 300, seed: 7 },
    );
  });

  it('leaves nothing behind at the edge when it drains at any moment', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 60 }), fc.nat(59), (steps, at) =>
        run(steps, at % steps.length),
      ),
      {
        numRuns: 300,
        seed: 7,
      },
    );
  });
});
