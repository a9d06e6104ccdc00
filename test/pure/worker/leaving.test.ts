import { describe, expect, it } from 'vitest';
import type { ControlCommand, JsonObject } from '#protocol';
import { attemptKey } from '../../../client/worker/index.ts';
import { assignment, digest, online, reconnect, refOf, setup, taskId, type FakeConnection } from './fakes.ts';

const snapshot = { kernel_digest: digest, data: 'AAAA' };

describe('draining', () => {
  it('gives back what waits, hands over what has a snapshot, finishes the rest, and says goodbye last', async () => {
    const { session, edge, executor, clock } = online({ concurrency: 2, prefetch: 2 });
    edge.say({ type: 'tasks', items: [1, 2, 3].map((n) => assignment(n)) });
    const closed = session.drain('stopping');
    expect(session.phase).toBe('draining');
    clock.advance(0);
    expect(edge.sent('outcomes')[0]?.items).toMatchObject([{ task_id: taskId(3), outcome: { type: 'released' } }]);
    expect(executor.snapshotsAsked).toEqual([refOf(assignment(1)), refOf(assignment(2))]);

    executor.tell(assignment(1), { type: 'snapshot', snapshot });
    executor.succeed(assignment(2));
    clock.advance(0);
    expect(executor.aborted).toEqual([{ ref: refOf(assignment(1)), reason: 'handed_back' }]);
    const types = edge.frames.map(({ type }) => type);
    expect(types.indexOf('snapshot')).toBeLessThan(types.lastIndexOf('outcomes'));
    expect(edge.sent('outcomes')[1]).toMatchObject({
      items: [{ outcome: { type: 'released' } }, { outcome: { type: 'success' } }],
      credits: 0,
    });

    expect(edge.isOpen).toBe(true);
    const acknowledged = [1, 2, 3].map((n) => ({ ...refOf(assignment(n)), status: 'recorded' as const }));
    edge.say({ type: 'ack', items: acknowledged });
    expect(edge.frames.at(-1)).toEqual({ type: 'goodbye', reason: 'stopping' });
    expect(edge.isOpen).toBe(false);
    expect(await closed).toBe(null);
    expect(clock.pending).toBe(0);
  });

  it('reconnects to deliver its last outcomes', async () => {
    const world = online();
    const { session, edge, executor, clock } = world;
    edge.say({ type: 'tasks', items: [assignment(1)] });
    edge.drop();
    const closed = session.drain('stopping');
    executor.succeed(assignment(1));
    const again = reconnect(world);
    expect(again.sent('hello')[0]).toMatchObject({ credits: 0, holding: [refOf(assignment(1))] });
    clock.advance(0);
    again.say({ type: 'ack', items: [{ ...refOf(assignment(1)), status: 'recorded' }] });
    expect(again.frames.at(-1)?.type).toBe('goodbye');
    expect(await closed).toBe(null);
  });

  it('gives tasks back that were on their way', () => {
    const { session, edge, clock } = online({ concurrency: 2 });
    edge.say({ type: 'tasks', items: [assignment(1)] });
    void session.drain('stopping');
    edge.say({ type: 'tasks', items: [assignment(2)] });
    clock.advance(0);
    expect(edge.sent('outcomes')[0]?.items).toMatchObject([{ task_id: taskId(2), outcome: { type: 'released' } }]);
  });

  it('turns into leaving when its grace is over', async () => {
    const { session, edge, executor, clock } = online();
    edge.say({ type: 'tasks', items: [assignment(1)] });
    const closed = session.drain('stopping', 2000);
    clock.advance(2000);
    expect(executor.aborted).toEqual([{ ref: refOf(assignment(1)), reason: 'left' }]);
    expect(edge.frames.at(-1)?.type).toBe('goodbye');
    expect(await closed).toBe(null);
  });

  it('ends at once when there is nothing to wait for, connected or not', async () => {
    const { session } = online();
    expect(await session.drain('stopping')).toBe(null);
    const idle = setup();
    idle.session.start();
    expect(await idle.session.drain('stopping')).toBe(null);
    expect(idle.clock.pending).toBe(0);
  });
});

describe('leaving', () => {
  it('says goodbye before it returns, after the outcomes that are ready', () => {
    const { session, edge, executor } = online();
    edge.say({ type: 'tasks', items: [assignment(1), assignment(2)] });
    executor.succeed(assignment(1));
    session.leave('the page was closed');
    expect(edge.frames.slice(-2).map(({ type }) => type)).toEqual(['outcomes', 'goodbye']);
    expect(executor.aborted).toEqual([{ ref: refOf(assignment(2)), reason: 'left' }]);
    expect(edge.closedBecause).toBe('leaving');
    expect(session.phase).toBe('closed');
  });

  it('hears nothing afterwards', () => {
    const { session, executor, clock, events, edge } = online();
    edge.say({ type: 'tasks', items: [assignment(1)] });
    session.leave('over');
    const count = events.length;
    executor.succeed(assignment(1));
    session.start();
    clock.advance(60_000);
    expect(events.length).toBe(count);
  });
});

describe('remote control', () => {
  function command(edge: FakeConnection, name: ControlCommand, args: JsonObject = {}) {
    edge.say({ type: 'control', request_id: 'r1', command: name, arguments: args });
    return edge.sent('control_reply').at(-1)?.reply;
  }

  it('answers ping and stats', () => {
    const { edge } = online();
    edge.say({ type: 'tasks', items: [assignment(1)] });
    expect(command(edge, 'ping')).toEqual({ ok: 'pong' });
    expect(command(edge, 'stats')).toMatchObject({
      ok: { phase: 'working', concurrency: 2, queues: ['default'], active: [{ task_id: taskId(1), running: true }] },
    });
  });

  it.each([
    ['add_queue', { queue: 'ml' }, { queues: ['default', 'ml'] }],
    ['grow', { n: 3 }, { concurrency: 5, credits: 5 }],
    ['shrink', {}, { concurrency: 1, credits: 1 }],
  ] as const)('%s answers, then greets the edge anew', (name, args, hello) => {
    const { edge, transport } = online();
    expect(command(edge, name, { ...args })).toHaveProperty('ok');
    expect(edge.isOpen).toBe(false);
    transport.last.open();
    expect(transport.last.sent('hello')[0]).toMatchObject(hello);
  });

  it('grows its executor and takes more at once', () => {
    const { edge, transport, executor } = online({ concurrency: 1 });
    edge.say({ type: 'tasks', items: [assignment(1)] });
    command(edge, 'grow', { n: 1 });
    transport.last.open();
    expect(executor.concurrency).toBe(2);
    expect(transport.last.sent('hello')[0]).toMatchObject({ credits: 1, holding: [refOf(assignment(1))] });
  });

  it('refuses to give up its only queue, and says why to bad arguments', () => {
    const { edge } = online();
    expect(command(edge, 'cancel_queue', { queue: 'default' })).toEqual({
      error: 'queue: default is the only one that this worker takes from',
    });
    expect(command(edge, 'grow', { n: -1 })).toEqual({ error: 'n: expected a whole number from 1 to 1024, got -1' });
    expect(command(edge, 'add_queue', {})).toHaveProperty('error');
    expect(command(edge, 'rate_limit', { rate_limit: 'fast' })).toHaveProperty('error');
    expect(edge.isOpen).toBe(true);
  });

  it('sets a rate limit and lifts it', () => {
    const { edge, executor, clock } = online({ concurrency: 8 });
    command(edge, 'rate_limit', { rate_limit: '1/s' });
    edge.say({ type: 'tasks', items: [1, 2, 3].map((n) => assignment(n)) });
    expect(executor.running.size).toBe(1);
    clock.advance(1000);
    expect(executor.running.size).toBe(2);
    command(edge, 'rate_limit', { rate_limit: null });
    expect(executor.running.size).toBe(3);
  });

  it('holds one task type back and lets others go ahead', () => {
    const { edge, executor, clock } = online({ concurrency: 8 });
    const args = { task: 'train_surrogate', rate_limit: '1/s' };
    expect(command(edge, 'rate_limit', args)).toMatchObject({
      ok: { task_limits: { train_surrogate: { rate_limit: '1/s', time_limit: null } } },
    });
    const [first, second, other] = [assignment(1), assignment(2), assignment(3)].map((each, index) => ({
      ...each,
      task: index === 2 ? 'ping' : 'train_surrogate',
    }));
    edge.say({ type: 'tasks', items: [first!, second!, other!] });
    const running = () => [...executor.running.keys()];
    expect(running()).toEqual([first, other].map((each) => attemptKey(each!)));
    clock.advance(1000);
    expect(running()).toContain(attemptKey(second!));
    expect(command(edge, 'rate_limit', { task: 'train_surrogate' })).toMatchObject({ ok: { task_limits: {} } });
  });

  it('tightens the time limits of a task type, and never loosens them', () => {
    const { edge, executor } = online({ concurrency: 8 });
    const times = { soft_time_limit: 5, time_limit: 10 };
    command(edge, 'time_limit', { task: 'ping', ...times });
    const limits = (soft: number, hard: number) => ({ soft_time_limit_ms: soft, time_limit_ms: hard });
    edge.say({
      type: 'tasks',
      items: [
        { ...assignment(1), task: 'ping', ...limits(60_000, 90_000) },
        { ...assignment(2), task: 'ping', ...limits(1000, 2000) },
        { ...assignment(3), task: 'train_surrogate', ...limits(60_000, 90_000) },
      ],
    });
    expect([...executor.running.values()].map(({ assignment: given }) => given)).toMatchObject([
      limits(5000, 10_000),
      limits(1000, 2000),
      limits(60_000, 90_000),
    ]);
    expect(command(edge, 'time_limit', { task: 'nothing', time_limit: 1 })).toHaveProperty('error');
    expect(command(edge, 'time_limit', { task: 'ping', soft_time_limit: 2, time_limit: 1 })).toEqual({
      error: 'soft_time_limit: expected at most time_limit, 1',
    });
    expect(command(edge, 'time_limit', { task: 'ping', time_limit: 0 })).toHaveProperty('error');
  });

  it('restarts the threads, and shuts down in good order', async () => {
    const { edge, session, executor } = online();
    command(edge, 'restart');
    expect(executor.recycled).toBe(1);
    command(edge, 'shutdown');
    expect(await session.closed).toBe(null);
    expect(edge.frames.at(-1)?.type).toBe('goodbye');
  });
});
