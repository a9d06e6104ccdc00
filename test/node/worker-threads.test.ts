import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Assignment, AttemptRef, Outcome, Snapshot, TaskId } from '#protocol';
import { sortableId } from '#protocol';
import {
  startThread,
  systemClock,
  ThreadPool,
  type ExecutionEvent,
  type FileStore,
  type PoolOptions,
} from '../../client/worker/index.ts';
import { loadKernels } from '../../node-worker/kernels.ts';
import { spawnThread } from '../../node-worker/spawn-thread.ts';
import { bundleWorker, type WorkerBundle } from './helpers/bundle.ts';

let bundle: WorkerBundle;
let kernels: Awaited<ReturnType<typeof loadKernels>>;
const pools: ThreadPool[] = [];

beforeAll(async () => {
  bundle = await bundleWorker();
  kernels = await loadKernels(bundle.kernelsFile);
});
afterAll(async () => {
  for (const pool of pools) await pool.close();
  await bundle.remove();
});

const noFiles: FileStore = {
  read: () => Promise.reject(new Error('no files here')),
  records: () => Promise.reject(new Error('no files here')),
  write: () => Promise.reject(new Error('no files here')),
};

function setup(overrides: Partial<PoolOptions> = {}) {
  const settings = { kernels: kernels.module, kernelDigest: kernels.digest, workerName: 'lab', extraBodies: null };
  const pool = new ThreadPool({
    start: (hooks) => startThread(spawnThread(bundle.threadFile), hooks, settings),
    files: () => noFiles,
    clock: systemClock,
    concurrency: 1,
    maxTasksPerThread: null,
    maxMemoryBytes: null,
    abortGraceMs: 200,
    ...overrides,
  });
  pools.push(pool);
  return pool;
}

let made = 0;
function assignment(overrides: Partial<Assignment>): Assignment {
  const random = new Uint8Array(10);
  new DataView(random.buffer).setUint32(6, made++);
  return {
    task_id: `0-${sortableId(1_700_000_000_000, random)}` as TaskId,
    attempt: 1,
    task: 'run_campaign',
    args: [],
    kwargs: {},
    queue: 'default',
    priority: 5,
    retries: 0,
    owner: 'alice',
    soft_time_limit_ms: 600_000,
    time_limit_ms: 600_000,
    snapshot: null,
    ...overrides,
  };
}

function behave(text: string, overrides: Partial<Assignment> = {}): Assignment {
  return assignment({ kwargs: { campaign_id: text }, ...overrides });
}

/** Starts an attempt and gathers what it tells; `first` waits for an event of a type. */
function run(pool: ThreadPool, task: Assignment, isBrief = false) {
  const events: ExecutionEvent[] = [];
  const waiting: { type: ExecutionEvent['type']; resolve: (event: ExecutionEvent) => void }[] = [];
  const first = <Type extends ExecutionEvent['type']>(type: Type) =>
    new Promise<Extract<ExecutionEvent, { type: Type }>>((resolve) => {
      const known = events.find((event) => event.type === type);
      if (known) resolve(known as never);
      else waiting.push({ type, resolve: resolve as never });
    });
  const tell = (event: ExecutionEvent) => {
    events.push(event);
    for (const one of waiting) if (one.type === event.type) one.resolve(event);
  };
  pool.start(task, tell, isBrief);
  const ref: AttemptRef = { task_id: task.task_id, attempt: task.attempt };
  return { ref, events, first, outcome: async (): Promise<Outcome> => (await first('finished')).outcome };
}

const result = (value: unknown) => ({ type: 'success', result: value });
function resultOf<T>(outcome: Outcome): T {
  if (outcome.type !== 'success') throw new Error(JSON.stringify(outcome));
  return outcome.result as T;
}

const failed = (type: string) => ({ type: 'failure', error: { type } });

describe('a compute thread', () => {
  it('computes with the same bodies as a tab', async () => {
    const pool = setup();
    expect(await run(pool, assignment({ task: 'ping' })).outcome()).toEqual(result({ status: 'pong', worker: 'lab' }));
  });

  it('sees nothing of the environment, where tokens are', async () => {
    expect(await run(setup(), behave('environment')).outcome()).toEqual(result([]));
  });

  it('is ended at the hard time limit and replaced, though its body never looks up', async () => {
    const pool = setup();
    const outcome = await run(pool, behave('hang', { time_limit_ms: 300 })).outcome();
    expect(outcome).toMatchObject({ ...failed('time_limit_exceeded'), retryable: true });
    expect(await run(pool, behave('threadMark')).outcome()).toEqual(result(1));
  });

  it('hears the soft time limit and may end with a result, or as its error', async () => {
    const pool = setup();
    const limits = { soft_time_limit_ms: 50 };
    expect(await run(pool, behave('soft', limits)).outcome()).toEqual(result('ended softly'));
    expect(await run(pool, behave('softThrow', limits)).outcome()).toMatchObject(failed('soft_time_limit_exceeded'));
  });

  it('survives an attempt that stops when it is told to', async () => {
    const pool = setup();
    await run(pool, behave('threadMark')).outcome();
    const waiting = run(pool, behave('wait'));
    await waiting.first('started');
    pool.abort(waiting.ref);
    expect(await waiting.outcome()).toEqual({ type: 'revoked' });
    expect(await run(pool, behave('threadMark')).outcome()).toEqual(result(2));
  });

  it('is ended when a stopped attempt does not hear', async () => {
    const pool = setup();
    const hanging = run(pool, behave('hang'));
    await hanging.first('started');
    pool.abort(hanging.ref);
    expect(await hanging.outcome()).toEqual({ type: 'revoked' });
    expect(await run(pool, behave('threadMark')).outcome()).toEqual(result(1));
  });

  it('that crashes fails its attempt alone', async () => {
    const pool = setup();
    expect(await run(pool, behave('crash')).outcome()).toMatchObject({
      type: 'failure',
      error: { type: 'task_failed', message: expect.stringContaining('exit code 3') as string },
    });
    expect(await run(pool, behave('threadMark')).outcome()).toEqual(result(1));
  });

  it('is replaced after its share of tasks', async () => {
    const pool = setup({ maxTasksPerThread: 2 });
    const marks: Outcome[] = [];
    for (let n = 0; n < 5; n++) marks.push(await run(pool, behave('threadMark')).outcome());
    expect(marks).toEqual([1, 2, 1, 2, 1].map(result));
  });

  it('is replaced when it has grown too large', async () => {
    const pool = setup({ maxMemoryBytes: 150 * 1024 * 1024 });
    await run(pool, behave('hoard:20')).outcome();
    expect(await run(pool, behave('threadMark')).outcome()).toEqual(result(1));
    await run(pool, behave('hoard:200')).outcome();
    expect(await run(pool, behave('threadMark')).outcome()).toEqual(result(1));
    expect(await run(pool, behave('threadMark')).outcome()).toEqual(result(2));
  });

  it.each(['leakHeap', 'leakBuffers', 'leakKernels'])(
    'is replaced again and again while its body leaks: %s',
    async (kind) => {
      const pool = setup({ maxMemoryBytes: 70 * 1024 * 1024 });
      const runs: number[] = [];
      for (let n = 0; n < 8; n++) runs.push(resultOf<number>(await run(pool, behave(kind)).outcome()));
      // Each thread runs until it holds too much: more than one task, and never more than four.
      expect(Math.max(...runs)).toBeLessThanOrEqual(4);
      expect(runs.filter((count) => count === 1).length).toBeGreaterThanOrEqual(2);
      expect(runs).toContain(2);
    },
  );

  it('is replaced on demand once its attempt is over', async () => {
    const pool = setup();
    const waiting = run(pool, behave('count:3000'));
    await waiting.first('started');
    pool.recycle();
    expect(await waiting.outcome()).toMatchObject({ type: 'success' });
    expect(await run(pool, behave('threadMark')).outcome()).toEqual(result(1));
  });

  it('reads and writes files of the task’s owner through its host, and keeps the codes of their errors', async () => {
    const written: string[] = [];
    const pool = setup({
      files: () => ({
        read: (owner, path) => Promise.resolve(new TextEncoder().encode(`${owner} ${path}`)),
        records: (owner, path, { from, to, sha256 }) =>
          Promise.resolve(new TextEncoder().encode(`${owner} ${path} ${from} ${to} ${sha256}`)),
        write: (owner, path, bytes, type) => {
          written.push(`${owner} ${path} ${type} ${new TextDecoder().decode(bytes)}`);
          return Promise.resolve({ path, sha256: 'ff' });
        },
      }),
    });
    expect(await run(pool, behave('read:7')).outcome()).toEqual(result('alice /files/7'));
    expect(await run(pool, behave('records:7')).outcome()).toEqual(result('alice /rows.csv 2 7 ff'));
    expect(await run(pool, behave('write')).outcome()).toEqual(result({ path: '/out/x.txt', sha256: 'ff' }));
    expect(written).toEqual(['alice /out/x.txt text/plain written']);
    expect(await run(setup(), behave('read:1')).outcome()).toMatchObject(failed('task_failed'));
  });

  it('tells progress now and then, and nothing after its end', async () => {
    const told = run(setup(), behave('progress'));
    await told.outcome();
    const fractions = told.events.flatMap((event) => (event.type === 'progress' ? [event.progress.fraction] : []));
    expect(fractions).toEqual([0]);
    expect(told.events.map(({ type }) => type)).toEqual(['started', 'progress', 'finished']);
  });

  it('fails a result that is too large, for good', async () => {
    const outcome = await run(setup(), behave(`big:${1024 * 1024}`)).outcome();
    expect(outcome).toMatchObject({ ...failed('body_too_large'), retryable: false });
  });

  it('fails arguments that do not fit and types that it has no body for', async () => {
    const pool = setup();
    expect(await run(pool, assignment({ kwargs: { campaign_id: 3 } })).outcome()).toMatchObject(
      failed('invalid_arguments'),
    );
    expect(await run(pool, assignment({ task: 'no_such_task' })).outcome()).toMatchObject(failed('unknown_task'));
  });

  it('runs at most as many attempts at a time as it may, and the others after', async () => {
    const pool = setup({ concurrency: 2 });
    const runs = [1, 2, 3].map(() => run(pool, behave('count:200')));
    for (const one of runs) expect(await one.outcome()).toMatchObject({ type: 'success' });
    expect(pool.threadCount).toBe(2);
    pool.resize(1);
    expect(pool.threadCount).toBe(1);
  });
});

describe('brief tasks', () => {
  const briefly = (pool: ThreadPool, text: string, overrides: Partial<Assignment> = {}) =>
    run(pool, behave(text, overrides), true);
  const types = ({ events }: ReturnType<typeof run>) => events.map(({ type }) => type);

  it('go to a thread together, in their order, and need not tell that they began', async () => {
    const pool = setup();
    const runs = Array.from({ length: 70 }, () => briefly(pool, 'threadMark'));
    const outcomes = await Promise.all(runs.map((one) => one.outcome()));
    expect(outcomes).toEqual(runs.map((_, index) => result(index + 1)));
    expect(types(runs[5]!)).toEqual(['finished']);
  });

  it('do not join one that is not', async () => {
    const pool = setup();
    const runs = [briefly(pool, 'threadMark'), run(pool, behave('count:3')), briefly(pool, 'threadMark')];
    const outcomes = await Promise.all(runs.map((one) => one.outcome()));
    expect(outcomes).toEqual([result(1), result({ from: 0, n: 3 }), result(2)]);
    expect(types(runs[1]!)).toEqual(['started', 'finished']);
  });

  it('share a thread’s fate, and are then computed one by one: only the one that hangs fails', async () => {
    const pool = setup();
    const runs = ['threadMark', 'hang', 'crash', 'threadMark'].map((text) =>
      briefly(pool, text, { time_limit_ms: 300 }),
    );
    const [first, hanging, crashing, last] = await Promise.all(runs.map((one) => one.outcome()));
    expect([first, last]).toEqual([result(1), result(1)]);
    expect(hanging).toMatchObject(failed('time_limit_exceeded'));
    expect(crashing).toMatchObject(failed('task_failed'));
  });

  it('can be stopped each by itself, before they begin and while they run', async () => {
    const pool = setup();
    await briefly(pool, 'threadMark').outcome();
    const [before, running, after, unsent] = ['threadMark', 'wait', 'threadMark', 'threadMark'].map((text) =>
      briefly(pool, text),
    );
    pool.abort(unsent!.ref);
    // It was thought to be brief: when it isn’t, it tells that it has begun.
    await running!.first('started');
    pool.abort(after!.ref);
    pool.abort(running!.ref);
    const outcomes = await Promise.all([before, running, after, unsent].map((one) => one!.outcome()));
    expect(outcomes).toEqual([result(2), { type: 'revoked' }, { type: 'revoked' }, { type: 'revoked' }]);
  });

  it('count as tasks when threads are replaced', async () => {
    const pool = setup({ maxTasksPerThread: 3 });
    const outcomes = await Promise.all(
      Array.from({ length: 7 }, () => briefly(pool, 'threadMark')).map((one) => one.outcome()),
    );
    expect(outcomes).toEqual([1, 2, 3, 1, 2, 3, 1].map(result));
  });
});

describe('a snapshot', () => {
  async function snapshotOf(pool: ThreadPool, task: Assignment): Promise<Snapshot> {
    const running = run(pool, task);
    await running.first('started');
    pool.askSnapshot(running.ref);
    const { snapshot } = await running.first('snapshot');
    pool.abort(running.ref);
    await running.outcome();
    return snapshot;
  }

  it('lets another thread go on where it was taken', async () => {
    const pool = setup();
    const snapshot = await snapshotOf(pool, behave('count:100000000'));
    expect(snapshot.kernel_digest).toBe(kernels.digest);
    const outcome = await run(setup(), behave('count:1', { snapshot })).outcome();
    const { from, n } = resultOf<{ from: number; n: number }>(outcome);
    expect(from).toBeGreaterThan(0);
    expect(n).toBe(from);
  });

  it('is told before the failure after which it is to be gone on from', async () => {
    const told = run(setup(), behave('handOver:7'));
    expect(await told.outcome()).toMatchObject({ type: 'failure', retryable: true });
    expect(told.events.map(({ type }) => type)).toEqual(['started', 'snapshot', 'finished']);
    expect(told.events[1]).toMatchObject({ snapshot: { kernel_digest: kernels.digest, data: 'Bw==' } });
  });

  it('of other kernels is not used', async () => {
    const pool = setup();
    const snapshot = { ...(await snapshotOf(pool, behave('count:100000000'))), kernel_digest: 'ab'.repeat(32) };
    expect(await run(pool, behave('count:5', { snapshot })).outcome()).toEqual(result({ from: 0, n: 5 }));
  });

  const rows = Array.from({ length: 120 }, (_, n) => [n / 120, (n * 7) % 13, ((n / 60) * (n % 13)) / 5]);
  const training = {
    task: 'train_surrogate',
    kwargs: { rows, inputs: ['a', 'b'], targets: ['y'], epochs: 3000, members: 2, hidden: [24, 24], seed: 11 },
  };

  it('handed over in the middle of a training gives the same model, bit by bit', async () => {
    const models = new Map<string, string>();
    const files: FileStore = {
      ...noFiles,
      write: (_, path, bytes) => {
        models.set(path, Buffer.from(bytes).toString('hex'));
        return Promise.resolve({ path, sha256: '' });
      },
    };
    const pool = setup({ files: () => files });
    const model = (path: string) => ({ ...training, kwargs: { ...training.kwargs, model_path: path } });
    const undisturbed = await run(pool, assignment(model('/models/a.json'))).outcome();
    const snapshot = await snapshotOf(pool, assignment(model('/models/b.json')));
    const continued = await run(
      setup({ files: () => files }),
      assignment({ ...model('/models/b.json'), snapshot }),
    ).outcome();
    expect(undisturbed).toMatchObject({ type: 'success' });
    expect(continued).toMatchObject({ type: 'success' });
    expect(models.get('/models/b.json')).toBe(models.get('/models/a.json'));
    expect(resultOf(continued)).toEqual({ ...resultOf<object>(undisturbed), model_path: '/models/b.json' });
  });
});
