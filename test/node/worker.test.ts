import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from '#protocol';
import type { Executor } from '../../client/worker/index.ts';
import { startWorker, type Component, type WorkerConfigInput, type WorkerHandle } from '../../node-worker/index.ts';
import { bundleWorker, type WorkerBundle } from './helpers/bundle.ts';
import { FakeEdge } from './helpers/fake-edge.ts';
import { until, untilFile, untilGone } from './helpers/wait.ts';
import { WorkerProcess } from './helpers/worker-process.ts';

let bundle: WorkerBundle;
const folder = mkdtempSync(join(tmpdir(), 'tabgrid-worker-'));
const edges: FakeEdge[] = [];
const workers: WorkerHandle[] = [];
const processes: WorkerProcess[] = [];

beforeAll(async () => {
  bundle = await bundleWorker();
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.abort('the test is over')));
  await Promise.all(processes.splice(0).map((one) => one.kill()));
  await Promise.all(edges.splice(0).map((edge) => edge.stop()));
});
afterAll(async () => {
  await bundle.remove();
  rmSync(folder, { recursive: true });
});

async function edgeAlone(): Promise<FakeEdge> {
  const edge = new FakeEdge();
  await edge.start();
  edges.push(edge);
  return edge;
}

function configFor(edge: FakeEdge, overrides: Partial<WorkerConfigInput> = {}): WorkerConfigInput {
  const { threadFile, kernelsFile } = bundle;
  return {
    url: edge.url,
    token: 'good',
    concurrency: 2,
    name: 'lab',
    threadFile,
    kernelsFile,
    evaluatorKillAfterMs: 200,
    ...overrides,
  };
}

async function setup(overrides: Partial<WorkerConfigInput> = {}) {
  const edge = await edgeAlone();
  const logs: string[] = [];
  const worker = await startWorker(configFor(edge, overrides), { log: (line) => logs.push(line) });
  workers.push(worker);
  await until(() => edge.peers.length > 0);
  return { edge, worker, logs };
}

/** An executor that has the answer to everything. */
function answering(outcome: Outcome): Executor {
  const nothing = () => undefined;
  return {
    start: (_, tell) => tell({ type: 'finished', outcome, runtimeMs: 1 }),
    abort: nothing,
    askSnapshot: nothing,
    resize: nothing,
    recycle: nothing,
    close: () => Promise.resolve(),
  };
}

const arrayOf = (name: string, items: object[][]) =>
  ({ task: 'evaluate_candidates', kwargs: { evaluator: { kind: 'named', name } }, star: false, items }) as never;
const named = (name: string, candidates: object[]) => ({ candidates, evaluator: { kind: 'named', name } }) as never;

describe('a Node worker', () => {
  it('says who it is and what it can do', async () => {
    const { edge } = await setup({ evaluators: { barrel: 'echo 1' }, queues: ['default', 'ml'] });
    expect(edge.peers[0]).toMatchObject({
      name: 'lab',
      queues: ['default', 'ml'],
      concurrency: 2,
      credits: 2,
      capabilities: { runtime: 'node', cores: 2, evaluators: ['barrel'] },
    });
    expect(edge.peers[0]?.capabilities.tasks).toContain('train_surrogate');
    expect(edge.peers[0]?.kernel_digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('computes many small tasks', async () => {
    const { edge } = await setup();
    const refs = Array.from({ length: 300 }, () => edge.submit('ping', {}));
    await until(() => refs.every((ref) => edge.stateOf(ref) === 'over'));
    expect(edge.reports.length).toBe(300);
    expect(edge.outcomeOf(refs[0]!)).toEqual({ type: 'success', result: { status: 'pong', worker: 'lab' } });
  });

  it('trains in a thread and writes the model under the owner’s name', async () => {
    const { edge } = await setup();
    const ref = edge.submit('train_surrogate', {
      rows: [
        [0, 0],
        [0.5, 1],
        [1, 2],
        [1.5, 3],
        [2, 4],
      ],
      inputs: ['x'],
      targets: ['y'],
      epochs: 20,
      model_path: '/models/a.json',
    });
    expect((await until(() => edge.outcomeOf(ref))).type).toBe('success');
    expect(JSON.parse(new TextDecoder().decode(edge.files.get('/models/a.json')))).toBeTypeOf('object');
    expect(edge.requests.find(({ method }) => method === 'PUT')?.url).toBe('/v1/files/models/a.json?owner=alice');
  });

  it('takes frames as large as the edge may send', async () => {
    const { edge } = await setup();
    const large = edge.submit('ping', { padding: 'x'.repeat(8 * 1024 * 1024 - 10_000) });
    expect(await until(() => edge.outcomeOf(large))).toMatchObject({ error: { type: 'invalid_arguments' } });
  });

  it('comes back by itself when the edge was away, and delivers what it finished meanwhile', async () => {
    const release = join(folder, 'release-1');
    const { edge } = await setup({ evaluators: { slow: `until test -e ${release}; do sleep 0.05; done; echo 5` } });
    const ref = edge.submit('evaluate_candidates', named('slow', [{ x: 1 }]));
    await until(() => edge.sent('started').length > 0);
    await edge.stop();
    writeFileSync(release, '');
    await edge.start();
    expect(await until(() => edge.outcomeOf(ref))).toEqual({
      type: 'success',
      result: { values: [{ y: 5 }], failed: [] },
    });
    expect(edge.stateOf(ref)).toBe('over');
  });

  it('evaluates arrays by name, each candidate under a number of its own', async () => {
    const { edge } = await setup({ evaluators: { sim: 'echo $TABGRID_INDEX' } });
    const items = [[{ x: 1 }, { x: 2 }], [{ x: 3 }]];
    const ref = edge.submit('starmap', arrayOf('sim', items));
    expect(await until(() => edge.outcomeOf(ref))).toEqual({
      type: 'success',
      result: [
        { values: [{ y: 0 }, { y: 1 }], failed: [] },
        { values: [{ y: 1000 }], failed: [] },
      ],
    });
  });

  it('ends with the refusal when its token is not accepted', async () => {
    const edge = await edgeAlone();
    const worker = await startWorker(configFor(edge, { token: 'bad' }));
    workers.push(worker);
    expect((await worker.closed)?.code).toBe('unauthorized');
  });

  it('refuses options that do not fit, and says which', async () => {
    const edge = await edgeAlone();
    await expect(startWorker(configFor(edge, { concurrency: 0, rateLimit: 'fast' }))).rejects.toThrow(
      /concurrency: .*; rateLimit: expected a rate such as 10\/s/,
    );
    await expect(startWorker(configFor(edge, { kernelsFile: '/nowhere.wasm' }))).rejects.toThrow(/nowhere\.wasm/);
    await expect(startWorker(configFor(edge, { tasksFile: '/nowhere.mjs' }))).rejects.toThrow(/^tasksFile: .*nowhere/);
    await expect(startWorker(configFor(edge, { redis: 'http://x' }))).rejects.toThrow(/redis: /);
  });

  it('takes bodies from a module of the user', async () => {
    const file = join(folder, 'tasks.mjs');
    writeFileSync(file, 'export const bodies = { ping: async () => ({ status: "pong", worker: "mine" }) };');
    const { edge } = await setup({ tasksFile: file });
    const ref = edge.submit('ping', {});
    expect(await until(() => edge.outcomeOf(ref))).toMatchObject({ result: { worker: 'mine' } });
  });

  it('computes in its own thread when it is to work solo, as many tasks at a time as it may, with bodies of the user', async () => {
    const file = join(folder, 'meeting.mjs');
    writeFileSync(
      file,
      `const waiting = [];
       const meet = () => new Promise((resolve) => waiting.push(resolve) === 3 && waiting.forEach((one) => one()));
       export const bodies = { ping: () => meet().then(() => ({ status: 'pong', worker: String(process.pid) })) };`,
    );
    const { edge } = await setup({ pool: 'solo', concurrency: 3, threadFile: '/nowhere.js', tasksFile: file });
    const pings = [1, 2, 3].map(() => edge.submit('ping', {}));
    for (const ref of pings) {
      expect(await until(() => edge.outcomeOf(ref))).toMatchObject({ result: { worker: String(process.pid) } });
    }
    const points = [
      [1, 2],
      [2, 1],
      [2, 2],
    ];
    const front = edge.submit('compute_pareto_front', { points, directions: ['min', 'min'] });
    expect(await until(() => edge.outcomeOf(front))).toMatchObject({ type: 'success' });
  });

  it('consists of components, to which a user adds: one that offers its health, one with an evaluator and an executor', async () => {
    const logs: string[] = [];
    const healthPort = fileURLToPath(new URL('../../docs/examples/health-port.mjs', import.meta.url));
    const edge = await edgeAlone();
    const answers: Component = {
      name: 'answers',
      before: ['evaluators', 'executor'],
      start: (worker) => {
        worker.addEvaluator('twice', (candidate) => 2 * (candidate as { x: number }).x);
        worker.addExecutor(['compute_pareto_front'], answering({ type: 'success', result: 'mine' }));
      },
    };
    process.env.HEALTH_PORT = '0';
    const config = configFor(edge, { componentFiles: [healthPort] });
    const worker = await startWorker(config, { components: [answers], log: (line) => logs.push(line) });
    workers.push(worker);
    await until(() => worker.phase === 'working');
    expect(edge.peers[0]?.capabilities).toMatchObject({ evaluators: ['twice'] });
    const evaluated = edge.submit('evaluate_candidates', named('twice', [{ x: 3 }, { x: 4 }]));
    const computed = edge.submit('compute_pareto_front', {});
    expect(await until(() => edge.outcomeOf(evaluated))).toMatchObject({ result: { values: [{ y: 6 }, { y: 8 }] } });
    expect(await until(() => edge.outcomeOf(computed))).toEqual({ type: 'success', result: 'mine' });

    const url = /http:\S+/.exec(logs.join())![0];
    const answer = await fetch(url);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ phase: 'working', succeeded: 2 });
    await worker.stop('the day is over');
    await expect(fetch(url)).rejects.toThrow();
  });

  it('does not start with a component that cannot, and stops what has started', async () => {
    const edge = await edgeAlone();
    const started: string[] = [];
    const witness: Component = { name: 'witness', start: () => ({ stop: () => void started.push('stopped') }) };
    const start = (name: string, text: string) => {
      const file = join(folder, name);
      writeFileSync(file, text);
      return startWorker(configFor(edge, { componentFiles: [file] }));
    };
    const broken = { name: 'broken', requires: ['session'], start: () => Promise.reject(new Error('port taken')) };
    const failing = startWorker(configFor(edge), { components: [witness, broken] });
    await expect(failing).rejects.toThrow('The component broken: port taken');
    expect(started).toEqual(['stopped']);
    await until(() => edge.peers.length === 0);
    const round = { ...witness, name: 'round', requires: ['session'], before: ['threads'] };
    await expect(startWorker(configFor(edge), { components: [round] })).rejects.toThrow(
      /they wait for each other: threads → round → session → executor → threads/,
    );
    await expect(start('nothing.mjs', 'export const nothing = 1')).rejects.toThrow(
      /expected an export named component/,
    );
    await expect(start('incomplete.mjs', 'export const component = { name: "a b" }')).rejects.toThrow(
      /component\.name: .*component\.start: /,
    );
  });
});

describe('evaluations under the edge’s lease', () => {
  it('keep the failures of single candidates apart', async () => {
    const { edge } = await setup({ evaluators: { odd: 'read line; case "$line" in *2*) exit 3;; *) echo 7;; esac' } });
    const ref = edge.submit('evaluate_candidates', named('odd', [{ x: 1 }, { x: 2 }, { x: 3 }]));
    const outcome = await until(() => edge.outcomeOf(ref));
    expect(outcome).toMatchObject({
      type: 'success',
      result: { values: [{ y: 7 }, null, { y: 7 }], failed: [{ index: 1 }] },
    });
  });

  it('have their time limit per candidate, and their processes die with it', async () => {
    const pidFile = join(folder, 'pid-limit');
    const { edge } = await setup({ evaluators: { stuck: `sh -c 'echo $$ > ${pidFile}; sleep 600' & wait` } });
    const ref = edge.submit('evaluate_candidates', named('stuck', [{ x: 1 }]), { time_limit_ms: 1000 });
    const pid = Number(await untilFile(pidFile));
    const outcome = await until(() => edge.outcomeOf(ref));
    expect(outcome).toMatchObject({
      result: { values: [null], failed: [{ error: expect.stringContaining('time_limit_exceeded') as string }] },
    });
    await untilGone(pid);
  });

  it('end with their processes when they are revoked', async () => {
    const pidFile = join(folder, 'pid-revoke');
    const { edge } = await setup({ evaluators: { stuck: `echo $$ > ${pidFile}; sleep 600` } });
    const ref = edge.submit('evaluate_candidates', named('stuck', [{ x: 1 }]));
    const pid = Number(await untilFile(pidFile));
    edge.revoke(ref);
    await until(() => edge.reports.find(({ outcome }) => outcome.type === 'revoked'));
    await untilGone(pid);
  });
});

describe('leaving', () => {
  it('hands a running training over, and the next worker finishes it with the same model', async () => {
    const { edge, worker } = await setup({ concurrency: 1 });
    const rows = Array.from({ length: 200 }, (_, n) => [n / 200, (n * n) / 40_000]);
    const train = (name: string) => {
      const kwargs = { rows, inputs: ['x'], targets: ['y'], epochs: 3000, members: 1, hidden: [32, 32] };
      return edge.submit('train_surrogate', { ...kwargs, model_path: `/models/${name}.json` });
    };
    const ref = train('handed-over');
    await until(() => edge.sent('started').length > 0);
    expect(await worker.stop('told')).toBe(null);
    await until(() => edge.sent('goodbye').length > 0);
    expect(edge.frames.map(({ type }) => type).slice(-3)).toEqual(['snapshot', 'outcomes', 'goodbye']);
    expect(edge.outcomeOf(ref)).toMatchObject({ type: 'released' });
    expect(edge.stateOf(ref)).toBe('waiting');

    workers.push(await startWorker(configFor(edge)));
    const undisturbed = train('undisturbed');
    await until(() => edge.stateOf(ref) === 'over' && edge.stateOf(undisturbed) === 'over');
    expect(edge.files.get('/models/handed-over.json')).toEqual(edge.files.get('/models/undisturbed.json'));
  });

  it('finishes in its first stage what cannot be continued elsewhere, and ends it in its second', async () => {
    const release = join(folder, 'release-2');
    const { edge } = await setup();
    const evaluators = { slow: `until test -e ${release}; do sleep 0.05; done; echo 5`, stuck: 'sleep 600' };
    const first = new WorkerProcess(bundle, configFor(edge, { evaluators, name: 'first' }));
    processes.push(first);
    await workers[0]!.stop('only the process is to work');
    await until(() => edge.peers.length === 1 && edge.peers[0]!.name === 'first');
    const slow = edge.submit('evaluate_candidates', named('slow', [{ x: 1 }]));
    await until(() => edge.sent('started').length > 0);
    first.stop();
    await until(() => first.lines.find(({ phase }) => phase === 'draining'));
    writeFileSync(release, '');
    expect(await first.exited).toBe(0);
    expect(edge.outcomeOf(slow)).toMatchObject({ type: 'success' });

    const second = new WorkerProcess(bundle, configFor(edge, { evaluators, name: 'second' }));
    processes.push(second);
    const stuck = edge.submit('evaluate_candidates', named('stuck', [{ x: 1 }]));
    await until(() => edge.sent('started').length > 1);
    second.stop();
    await until(() => second.lines.find(({ phase }) => phase === 'draining'));
    second.stop();
    expect(await second.exited).toBe(0);
    expect(edge.stateOf(stuck)).toBe('waiting');
  });

  it('leaves no process behind when it is killed', async () => {
    const pidFile = join(folder, 'pid-killed');
    const edge = await edgeAlone();
    const evaluators = { stuck: `sh -c 'trap "" TERM HUP; echo $$ > ${pidFile}; sleep 600' & wait` };
    const worker = new WorkerProcess(bundle, configFor(edge, { evaluators }));
    edge.submit('evaluate_candidates', named('stuck', [{ x: 1 }]));
    const pid = Number(await untilFile(pidFile));
    await worker.kill();
    await untilGone(pid);
  });
});
