import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Assignment, JsonObject, Outcome } from '#protocol';
import {
  startLocalThread,
  ThreadPool,
  type ExecutionEvent,
  type FileStore,
  type PoolOptions,
  type TaskBodies,
  type TaskContext,
} from '../../../client/worker/index.ts';
import { kernelModule } from '../kernels/load.ts';
import { assignment, digest, FakeClock, refOf } from './fakes.ts';

const kernels = await kernelModule();

/** What a test waits for, and what a body waits for. */
class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

type Behaviour = (context: TaskContext, kwargs: JsonObject) => unknown;

const noFiles: FileStore = {
  read: () => Promise.reject(new Error('no files here')),
  records: () => Promise.reject(new Error('no files here')),
  write: () => Promise.reject(new Error('no files here')),
};

/** A pool in this thread, whose tasks name their behaviours. */
function setup(
  behaviours: Record<string, Behaviour>,
  options: Partial<PoolOptions> = {},
  extraBodies: string | null = null,
) {
  const clock = new FakeClock();
  const bodies: TaskBodies = {
    starmap: async (context, { task, kwargs }) => (await behaviours[task]!(context, kwargs)) as never,
  };
  const parts = { bodies, clock, pause: () => nextTurn(undefined) };
  const settings = { kernels, kernelDigest: digest, workerName: 'lab', extraBodies };
  const pool = new ThreadPool({
    start: (hooks) => startLocalThread(parts, hooks, settings),
    files: () => noFiles,
    clock,
    concurrency: 1,
    maxTasksPerThread: null,
    maxMemoryBytes: null,
    abortGraceMs: 200,
    ...options,
  });
  return { pool, clock };
}

let made = 0;
/** Starts an attempt and gathers what it tells. */
function run(pool: ThreadPool, behaviour: string, overrides: Partial<Assignment> = {}, isBrief = false) {
  const kwargs = { task: behaviour, kwargs: { left: 1 }, star: false, items: [0] };
  const task = assignment(made++, { task: 'starmap', kwargs, ...overrides });
  const events: ExecutionEvent[] = [];
  const outcome = new Promise<Outcome>((resolve) => {
    const tell = (event: ExecutionEvent) => {
      events.push(event);
      if (event.type === 'finished') resolve(event.outcome);
    };
    pool.start(task, tell, isBrief);
  });
  return { ref: refOf(task), events, types: () => events.map(({ type }) => type), outcome };
}

/** Waits for a signal of its context, and fails with its reason. */
function untilAborted(begun: Gate, signalOf: (context: TaskContext) => AbortSignal): Behaviour {
  return async (context) => {
    const signal = signalOf(context);
    begun.open();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    signal.throwIfAborted();
  };
}

const result = (value: unknown) => ({ type: 'success', result: value });
const failed = (type: string) => ({ type: 'failure', error: { type } });

describe('a pool in the thread of its host', () => {
  it('has as many attempts under way as it may, and tells their progress', async () => {
    const together = new Gate();
    let underWay = 0;
    const meet: Behaviour = async (context) => {
      context.progress({ fraction: 0.5 });
      if (++underWay === 3) together.open();
      await together.opened;
      return context.workerName;
    };
    const { pool } = setup({ meet }, { concurrency: 3 });
    const runs = [1, 2, 3].map(() => run(pool, 'meet'));
    for (const one of runs) {
      expect(await one.outcome).toEqual(result('lab'));
      expect(one.types()).toEqual(['started', 'progress', 'finished']);
    }
  });

  it('lets its host in between two runs, though no body waits', async () => {
    const order: string[] = [];
    const first: Behaviour = () => {
      order.push('first');
      setImmediate(() => order.push('host'));
      return null;
    };
    const { pool } = setup({ first, second: () => order.push('second') });
    const runs = [run(pool, 'first'), run(pool, 'second')];
    await Promise.all(runs.map((one) => one.outcome));
    expect(order).toEqual(['first', 'host', 'second']);
  });

  it('asks for a snapshot, from which another goes on', async () => {
    const [begun, wanted] = [new Gate(), new Gate()];
    const step: Behaviour = async (context) => {
      if (context.snapshot) return [...context.snapshot];
      begun.open();
      await wanted.opened;
      context.checkpoint(() => Uint8Array.of(1, 2, 3));
      await context.yield();
      return 'from the beginning';
    };
    const { pool } = setup({ step });
    const running = run(pool, 'step');
    await begun.opened;
    pool.askSnapshot(running.ref);
    wanted.open();
    expect(await running.outcome).toEqual(result('from the beginning'));
    const told = running.events.find((event) => event.type === 'snapshot');
    expect(await run(pool, 'step', { snapshot: told!.snapshot }).outcome).toEqual(result([1, 2, 3]));
  });

  it('stops an attempt, and one whose turn has yet to come', async () => {
    const begun = new Gate();
    const stop = untilAborted(begun, ({ signal }) => signal);
    const { pool } = setup({ stop, never: () => expect.unreachable() });
    const runs = [run(pool, 'stop', {}, true), run(pool, 'never', {}, true)];
    await begun.opened;
    pool.abort(runs[1]!.ref);
    pool.abort(runs[0]!.ref);
    expect(await Promise.all(runs.map((one) => one.outcome))).toEqual([{ type: 'revoked' }, { type: 'revoked' }]);
    expect(pool.threadCount).toBe(1);
  });

  it('tells a body of its soft time limit', async () => {
    const begun = new Gate();
    const soft = untilAborted(begun, ({ softLimit }) => softLimit);
    const { pool, clock } = setup({ soft });
    const running = run(pool, 'soft', { soft_time_limit_ms: 500 });
    await begun.opened;
    clock.advance(500);
    expect(await running.outcome).toMatchObject(failed('soft_time_limit_exceeded'));
  });

  it('answers at the hard time limit for a body that goes on, goes on itself, and hears nothing of that body any more', async () => {
    const [begun, over, ended] = [new Gate(), new Gate(), new Gate()];
    const heard: unknown[] = [];
    const written: string[] = [];
    const files: FileStore = {
      ...noFiles,
      write: (_, path) => {
        written.push(path);
        return Promise.resolve({ path, sha256: 'ff' });
      },
    };
    const deaf: Behaviour = async (context) => {
      begun.open();
      await over.opened;
      context.progress({ message: 'late' });
      context.handOver(Uint8Array.of(1));
      const fault = await context.files
        .write('/late.txt', Uint8Array.of(1), 'text/plain')
        .catch((error: unknown) => error);
      heard.push(context.signal.aborted, fault);
      ended.open();
    };
    const { pool, clock } = setup({ deaf, next: () => 'next' }, { files: () => files });
    const running = run(pool, 'deaf', { time_limit_ms: 1000 });
    await begun.opened;
    clock.advance(1000);
    expect(await running.outcome).toMatchObject({ ...failed('time_limit_exceeded'), retryable: true });
    expect(await run(pool, 'next').outcome).toEqual(result('next'));
    over.open();
    await ended.opened;
    expect(running.types()).toEqual(['started', 'finished']);
    expect(heard).toMatchObject([true, { code: 'revoked' }]);
    expect(written).toEqual([]);
  });

  it('computes what shared a run with such a body again, each by itself, from the arguments that they were given', async () => {
    const [begun, late] = [[new Gate(), new Gate()], new Gate()];
    let deaf = 0;
    const behaviours: Record<string, Behaviour> = {
      take: (_, kwargs) => {
        kwargs.left = Number(kwargs.left) - 1;
        return kwargs.left;
      },
      deaf: async (context) => {
        const isFirst = deaf === 0;
        begun[deaf++]!.open();
        if (isFirst) {
          await begun[1]!.opened;
          context.progress({ message: 'late' });
          late.open();
        }
        return new Promise(() => undefined);
      },
    };
    const { pool, clock } = setup(behaviours);
    const limits = { time_limit_ms: 1000 };
    const [first, hanging, last] = ['take', 'deaf', 'take'].map((name) => run(pool, name, limits, true));
    await begun[0]!.opened;
    clock.advance(1000);
    await late.opened;
    clock.advance(1000);
    expect(await hanging!.outcome).toMatchObject(failed('time_limit_exceeded'));
    expect(hanging!.types()).not.toContain('progress');
    expect([await first!.outcome, await last!.outcome]).toEqual([result(0), result(0)]);
  });

  it('gives bodies files of their own, whatever they do to them', async () => {
    const kept = Uint8Array.of(1, 2, 3);
    const sent: Uint8Array[] = [];
    const files: FileStore = {
      read: () => Promise.resolve(kept),
      records: () => Promise.resolve(kept),
      write: (_, path, bytes) => {
        sent.push(bytes);
        return Promise.resolve({ path, sha256: 'ff' });
      },
    };
    const spoil: Behaviour = async (context) => {
      const read = await context.files.read('/a');
      const records = await context.files.records('/a', { from: 0, to: 1, sha256: 'ff' });
      await context.files.write('/b', read, 'text/plain');
      read.fill(9);
      records.fill(9);
      return 'spoilt';
    };
    const { pool } = setup({ spoil }, { files: () => files });
    expect(await run(pool, 'spoil').outcome).toEqual(result('spoilt'));
    expect([kept, sent[0]]).toEqual([Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3)]);
  });

  it('takes bodies from a module, and fails what it asks for where there is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tabgrid-local-'));
    const url = (name: string) => pathToFileURL(join(folder, name)).href;
    writeFileSync(join(folder, 'tasks.mjs'), 'export const bodies = { ping: async () => "mine" };');
    const { pool } = setup({ ours: () => 'ours' }, {}, url('tasks.mjs'));
    expect(await run(pool, '', { task: 'ping', kwargs: {} }).outcome).toEqual(result('mine'));
    expect(await run(pool, 'ours').outcome).toEqual(result('ours'));
    const without = setup({}, {}, url('nothing.mjs'));
    expect(await run(without.pool, '').outcome).toMatchObject(failed('task_failed'));
    rmSync(folder, { recursive: true });
  });
});
