import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AttemptRef } from '#protocol';
import type { WorkerConfigInput } from '../../node-worker/index.ts';
import { bundleWorker, type WorkerBundle } from './helpers/bundle.ts';
import { FakeEdge } from './helpers/fake-edge.ts';
import { RedisServer } from './helpers/redis.ts';
import { until, untilFile, untilGone } from './helpers/wait.ts';
import { WorkerProcess } from './helpers/worker-process.ts';

let bundle: WorkerBundle;
let redis: RedisServer;
let edge: FakeEdge;
let folder: string;
let processes: WorkerProcess[] = [];
let prefixes = 0;

beforeAll(async () => {
  bundle = await bundleWorker();
  redis = await RedisServer.start();
});
afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.kill()));
  await edge.stop();
  rmSync(folder, { recursive: true });
});
afterAll(async () => {
  await redis.remove();
  await bundle.remove();
});

/** An edge, a prefix of its own in Redis, and a way to start members of one group. */
async function setup() {
  edge = new FakeEdge();
  await edge.start();
  folder = mkdtempSync(join(tmpdir(), 'tabgrid-redis-test-'));
  processes = [];
  const prefix = `test${prefixes++}`;
  const start = async (name: string, overrides: Partial<WorkerConfigInput> = {}) => {
    const worker = new WorkerProcess(bundle, {
      url: edge.url,
      token: 'good',
      name,
      concurrency: 2,
      redis: redis.url,
      redisPrefix: prefix,
      evaluationHeartbeatMs: 100,
      evaluationClaimAfterMs: 1000,
      evaluationProgressMs: 50,
      evaluatorKillAfterMs: 100,
      ...overrides,
    });
    processes.push(worker);
    await until(() => edge.peers.find((hello) => hello.name === name));
    return worker;
  };
  return { start, prefix };
}

function submit(candidates: object[], name = 'sim'): AttemptRef {
  return edge.submit('evaluate_candidates', { candidates, evaluator: { kind: 'named', name } } as never);
}

/** Notes who evaluates (the worker is the parent of its processes), waits until a file is there, and answers. */
function gated(gate: string): string {
  return `echo $PPID >> ${folder}/begun; until test -e ${folder}/${gate}; do sleep 0.05; done; echo 5`;
}

function begun(): string[] {
  return readFileSync(join(folder, 'begun'), 'utf8').trim().split('\n');
}

function open(gate: string): void {
  writeFileSync(join(folder, gate), '');
}

/** What is left in Redis beside the streams and the group’s name. */
async function leftovers(prefix: string): Promise<string[]> {
  const client = redis.client();
  const keys = await client.keys(`{${prefix}}*`);
  const lengths = await Promise.all(
    keys.map(async (key) => ((await client.type(key)) === 'stream' ? client.xlen(key) : -1)),
  );
  client.disconnect();
  return keys.filter((key, at) => lengths[at] !== 0 && !key.endsWith(':group'));
}

const success = (values: unknown[], failed: unknown[] = []) => ({ type: 'success', result: { values, failed } });

describe('a group of workers with one Redis', () => {
  it('adopts evaluations, writes the result back over HTTP and leaves nothing behind', async () => {
    const { start, prefix } = await setup();
    await start('a', {
      evaluators: { sim: 'read x; case "$x" in *3*) echo "no oven" >&2; exit 1;; *) echo 7;; esac' },
    });
    const ref = submit([{ x: 1 }, { x: 3 }, { x: 5 }]);
    const outcome = await until(() => edge.outcomeOf(ref));
    expect(outcome).toEqual(
      success([{ y: 7 }, null, { y: 7 }], [{ index: 1, error: expect.stringContaining('no oven') as string }]),
    );
    expect(edge.reports.map(({ by }) => by)).toEqual(['http']);
    expect(edge.sent('adopt')[0]?.group).toMatch(/^redis-/);
    await until(async () => (await leftovers(prefix)).length === 0);
  });

  it('leaves arrays of evaluations to the worker that has them', async () => {
    const { start } = await setup();
    await start('a', { evaluators: { sim: 'echo 7' } });
    const kwargs = { evaluator: { kind: 'named', name: 'sim' } };
    const array = { task: 'evaluate_candidates', kwargs, star: false, items: [[{ x: 1 }]] };
    const ref = edge.submit('starmap', array);
    const result = [{ values: [{ y: 7 }], failed: [] }];
    expect(await until(() => edge.outcomeOf(ref))).toEqual({ type: 'success', result });
    expect(edge.sent('adopt')).toEqual([]);
  });

  it('frees its slot at once, so that other tasks go on beside long evaluations', async () => {
    const { start } = await setup();
    await start('a', { evaluators: { sim: gated('gate') }, concurrency: 1 });
    const ref = submit([{ x: 1 }]);
    await until(() => edge.stateOf(ref) === 'adopted');
    const ping = edge.submit('ping', {});
    await until(() => edge.outcomeOf(ping));
    open('gate');
    expect(await until(() => edge.outcomeOf(ref))).toEqual(success([{ y: 5 }]));
  });

  it('shares the candidates of one task, and tells how far they are', async () => {
    const { start } = await setup();
    const evaluators = { sim: gated('gate') };
    const first = await start('a', { evaluators, concurrency: 1 });
    await start('b', { evaluators, concurrency: 1 });
    const ref = submit([{ x: 1 }, { x: 2 }]);
    await until(() => untilFile(join(folder, 'begun')).then(() => begun().length === 2));
    expect(new Set(begun()).size).toBe(2);
    open('gate');
    await until(() => edge.outcomeOf(ref));
    expect(edge.progress.map(({ ref: { task_id } }) => task_id)).toContain(ref.task_id);
    expect(first.logs).toEqual([]);
  });

  it('drops a revoked task from Redis and ends its processes, in every member', async () => {
    const { start, prefix } = await setup();
    const evaluators = { sim: `echo $$ > ${folder}/pid-$TABGRID_INDEX; sleep 600` };
    await start('a', { evaluators, concurrency: 1 });
    await start('b', { evaluators, concurrency: 1 });
    const ref = submit([{ x: 1 }, { x: 2 }, { x: 3 }]);
    const pids = await Promise.all([0, 1].map(async (index) => Number(await untilFile(join(folder, `pid-${index}`)))));
    edge.revoke(ref);
    for (const pid of pids) await untilGone(pid);
    await until(async () => (await leftovers(prefix)).length === 0);
  });

  it('stops when it hears that the lease is lost', async () => {
    const { start, prefix } = await setup();
    await start('a', { evaluators: { sim: `echo $$ > ${folder}/pid; sleep 600` } });
    const ref = submit([{ x: 1 }]);
    const pid = Number(await untilFile(join(folder, 'pid')));
    edge.takeAway(ref);
    await untilGone(pid);
    await until(async () => (await leftovers(prefix)).length === 0);
    expect(edge.outcomeOf(ref)).toBe(undefined);
  });

  it('leaves evaluations to others that it has no room for', async () => {
    const { start } = await setup();
    await start('a', { evaluators: { sim: gated('gate') }, concurrency: 1, maxWaitingCandidates: 1 });
    const first = submit([{ x: 1 }]);
    await until(() => edge.stateOf(first) === 'adopted');
    const second = submit([{ x: 2 }]);
    await until(() => edge.stateOf(second) === 'leased');
    expect(edge.sent('adopt').length).toBe(1);
    open('gate');
    expect(await until(() => edge.outcomeOf(second))).toEqual(success([{ y: 5 }]));
  });

  it('finishes candidates in the first stage of leaving, and gives them back at once in the second', async () => {
    const { start } = await setup();
    const slow = { evaluators: { sim: gated('gate') }, concurrency: 1, evaluationClaimAfterMs: 600_000 };
    const first = await start('a', slow);
    const ref = submit([{ x: 1 }]);
    await untilFile(join(folder, 'begun'));
    first.stop();
    await until(() => first.lines.find(({ phase }) => phase === 'closed'));
    first.stop();
    expect(await first.exited).toBe(0);
    const second = await start('b', slow);
    await until(() => begun().length === 2);
    second.stop();
    await until(() => second.lines.find(({ phase }) => phase === 'closed'));
    open('gate');
    expect(await second.exited).toBe(0);
    expect(edge.outcomeOf(ref)).toEqual(success([{ y: 5 }]));
  });
});

describe('faults', () => {
  it('a worker leaves though Redis is away', async () => {
    const { start } = await setup();
    const worker = await start('a', { evaluators: { sim: 'echo 5' } });
    await redis.kill();
    worker.stop();
    expect(await worker.exited).toBe(0);
    await redis.start();
  });

  it('a worker that is killed loses nothing: another takes its candidates over', async () => {
    const { start, prefix } = await setup();
    const evaluators = { sim: gated('gate') };
    const first = await start('a', { evaluators });
    const ref = submit([{ x: 1 }, { x: 2 }]);
    await until(() => untilFile(join(folder, 'begun')).then(() => begun().length === 2));
    await until(() => edge.stateOf(ref) === 'adopted');
    await first.kill();
    await start('b', { evaluators });
    open('gate');
    expect(await until(() => edge.outcomeOf(ref))).toEqual(success([{ y: 5 }, { y: 5 }]));
    await until(async () => (await leftovers(prefix)).length === 0);
  });

  it('a result outlives an edge that is away and the death of the worker that found it', async () => {
    const { start } = await setup();
    const evaluators = { sim: gated('gate') };
    const first = await start('a', { evaluators });
    const ref = submit([{ x: 1 }]);
    await until(() => edge.stateOf(ref) === 'adopted');
    await untilFile(join(folder, 'begun'));
    await edge.stop();
    open('gate');
    await until(() => first.logs.find((line) => line.startsWith('Writing results back')));
    await first.kill();
    await edge.start();
    await start('b', { evaluators });
    expect(await until(() => edge.outcomeOf(ref))).toEqual(success([{ y: 5 }]));
    expect(begun().length).toBe(1);
  });

  it('a broken edge is asked again until it acknowledges', async () => {
    const { start } = await setup();
    const worker = await start('a', { evaluators: { sim: gated('gate') } });
    const ref = submit([{ x: 1 }]);
    await until(() => edge.stateOf(ref) === 'adopted');
    edge.failWith = 503;
    open('gate');
    await until(() => edge.requests.filter(({ url }) => url.endsWith('/result')).length >= 2);
    edge.failWith = null;
    expect(await until(() => edge.outcomeOf(ref))).toEqual(success([{ y: 5 }]));
    expect(worker.logs.filter((line) => line.startsWith('Writing results back')).length).toBe(1);
  });

  it('Redis may be killed in the middle: nothing is evaluated twice and nothing is lost', async () => {
    const { start, prefix } = await setup();
    const worker = await start('a', { evaluators: { sim: gated('gate') }, concurrency: 1 });
    const ref = submit([{ x: 1 }, { x: 2 }, { x: 3 }]);
    await until(() => edge.stateOf(ref) === 'adopted');
    await untilFile(join(folder, 'begun'));
    await redis.kill();
    await until(() => worker.logs.find((line) => line.startsWith('Redis: ')));
    // The first answer comes while Redis is away.
    open('gate');
    await redis.start();
    expect(await until(() => edge.outcomeOf(ref))).toEqual(success([{ y: 5 }, { y: 5 }, { y: 5 }]));
    expect(begun().length).toBe(3);
    expect(edge.reports.length).toBe(1);
    await until(async () => (await leftovers(prefix)).length === 0);
  });

  it('a worker and Redis may be killed together', async () => {
    const { start } = await setup();
    const evaluators = { sim: gated('gate') };
    const first = await start('a', { evaluators });
    const ref = submit([{ x: 1 }, { x: 2 }]);
    await until(() => edge.stateOf(ref) === 'adopted');
    await untilFile(join(folder, 'begun'));
    await Promise.all([first.kill(), redis.kill()]);
    await redis.start();
    await start('b', { evaluators });
    open('gate');
    expect(await until(() => edge.outcomeOf(ref))).toEqual(success([{ y: 5 }, { y: 5 }]));
  });
});
