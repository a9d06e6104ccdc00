import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { KwargsInput, Result } from '#catalog';
import type { TaskView, WorkflowView } from '#protocol';
import {
  chain,
  chord,
  chunks,
  file,
  parameterGrid,
  group,
  linkError,
  map,
  range,
  s,
  si,
  starmap,
  withLabels,
  type WorkflowResult,
} from '../../client/sdk/index.ts';
import { edgePid, freshFolder, run, startTestServe, startTestWorker, tabgridBin } from './helpers/processes.ts';
import type { TestServe } from './helpers/processes.ts';
import { until, untilGone } from './helpers/wait.ts';

async function labelled({ grid: client }: TestServe, label: string): Promise<TaskView[]> {
  const found: TaskView[] = [];
  for await (const task of client.tasks({ label })) found.push(task);
  return found;
}

async function killEdge({ state }: TestServe): Promise<void> {
  const pid = await edgePid(state);
  process.kill(pid, 'SIGKILL');
  await untilGone(pid);
}

async function untilSucceeded(workflow: WorkflowResult<unknown>, count: number): Promise<WorkflowView> {
  return until(async () => {
    const view = await workflow.view();
    return view.succeeded >= count || view.state !== 'STARTED' ? view : null;
  });
}

const byModel = (path: string) => ({ evaluator: { kind: 'model' as const, model_path: path } });
const sphere = { evaluator: { kind: 'builtin' as const, name: 'sphere' } };
/** As long as they are let, and never over before. */
const search = {
  objective: { suite: 'bbob' as const, function: 8, instance: 1 },
  dimension: 10,
  options: { tolfun: 0, tolx: 0, tolfunhist: 0, tolstagnation: 1_000_000 },
};
const pointSets = Array.from({ length: 100 }, (_, k) => [
  [k, 1],
  [1, k],
]);
const front = (index: number): KwargsInput<'compute_pareto_front'> => ({
  points: pointSets[Math.floor(index / 1000)]!,
  directions: ['min', 'max'],
  reference: [index % 1000, 0],
});

describe('workflows on one’s own machine', () => {
  it('end the same, and join once, though the edge is killed and a worker leaves in the middle', async () => {
    const serve = await startTestServe(await freshFolder());
    const { grid: client } = serve;
    const first = startTestWorker(serve, 'first', ['--concurrency', '2']);
    const lines = Array.from({ length: 600 }, (_, k) => JSON.stringify([[k, 2]]));
    const seeds = Array.from({ length: 8 }, (_, k) => `${k},${k % 2 === 0 ? '' : 12}`);
    await client.files.put('/d/candidates.ndjson', lines.join('\n'));
    await client.files.put('/d/searches.csv', ['seed,popsize', ...seeds].join('\r\n'));

    const evaluated = map('evaluate_candidates', file<number[][]>('/d/candidates.ndjson'), { kwargs: sphere });
    const references = Array.from({ length: 1000 }, (_, k) => [k, 0]);
    const fronts = chunks('compute_pareto_front', parameterGrid({ points: pointSets, reference: references }), 1000, {
      kwargs: { directions: ['min', 'max'] },
      labels: ['fronts'],
    });
    const searched = chunks('run_cmaes_optimization', file<{ seed: number }>('/d/searches.csv'), 4, {
      kwargs: { ...search, max_evaluations: 6_000 },
      labels: ['searches'],
    });
    const label = (name: string) => si('ping', {}, { labels: [name] });
    const joined = chain(
      chord([evaluated, label('header'), searched], label('body')),
      group(label('after'), label('after')),
    );
    const workflow = await client.run(group(evaluated, fronts, searched, joined));
    const broken = [[[1, 2]], [[3, 4]]];
    const failing = await client.run(
      linkError(map('evaluate_candidates', broken, { kwargs: byModel('/models/none.json') }), label('errback')),
    );

    await untilSucceeded(workflow, 20_000);
    await killEdge(serve);
    await untilSucceeded(workflow, 60_000);
    startTestWorker(serve, 'second', ['--concurrency', '2']);
    expect((await first.stop('SIGTERM')).status).toBe(0);
    await killEdge(serve);
    const [values, chunksOfFronts, chunksOfSearches, after] = await workflow.get();

    expect(values.map((each) => each.values[0]!.y)).toEqual(lines.map((_, k) => k * k + 4));
    expect(chunksOfFronts.map((chunk) => chunk.length)).toEqual(Array.from({ length: 100 }, () => 1000));
    const sample = [0, 999, 1000, 54_321, 99_999];
    const alone = sample.map((index) => client.submit('compute_pareto_front', front(index)));
    for (const [k, index] of sample.entries()) {
      expect(chunksOfFronts.flat()[index]).toEqual(await (await alone[k]!).get());
    }
    expect(chunksOfSearches.map((chunk) => chunk.length)).toEqual([4, 4]);
    const single = (seed: number, more: object) =>
      client.submit('run_cmaes_optimization', { ...search, max_evaluations: 6_000, seed, ...more });
    const [third, last] = await Promise.all([single(2, {}), single(7, { popsize: 12 })]);
    expect([chunksOfSearches.flat()[2], chunksOfSearches.flat()[7]]).toEqual([await third.get(), await last.get()]);
    expect(after.map(({ status }: Result<'ping'>) => status)).toEqual(['pong', 'pong']);

    const counts = await Promise.all(['header', 'body', 'after', 'errback'].map((name) => labelled(serve, name)));
    expect(counts.map((tasks) => tasks.length)).toEqual([1, 1, 2, 1]);
    const starts = (await labelled(serve, 'fronts')).map(({ kwargs }) => kwargs.first as number);
    expect(starts.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, k) => 1000 * k));
    const view = await workflow.view();
    const calls = 2 * 600 + 100_000 + 2 * 8 + 4;
    expect(view).toMatchObject({ state: 'SUCCESS', total: calls, succeeded: calls, failed: 0, running: 0 });
    expect(await failing.settled()).toMatchObject({
      state: 'FAILURE',
      error: { type: 'file_not_found', message: expect.stringMatching(/^item [01]: .*none\.json/) as string },
    });
  });

  it('stop at once when they are revoked', async () => {
    const serve = await startTestServe(await freshFolder());
    startTestWorker(serve, 'worker', ['--concurrency', '2']);
    const endless = starmap('run_cmaes_optimization', parameterGrid({ seed: range(1_000_000) }), { kwargs: search });
    const workflow = await serve.grid.run(withLabels(chain(s('ping'), endless, si('ping', {})), 'endless'));
    await until(async () => (await labelled(serve, 'endless')).some(({ state }) => state === 'STARTED') || null);
    expect(await workflow.revoke({ terminate: true })).toMatchObject({ total: 1_000_002 });
    await expect(workflow.get()).rejects.toMatchObject({ code: 'revoked' });
    const tasks = await until(async () => {
      const all = await labelled(serve, 'endless');
      return all.every(({ state }) => state === 'SUCCESS' || state === 'REVOKED') ? all : null;
    });
    // Nothing ends by itself, so that the window of ranges is all there ever is.
    expect(tasks.length).toBeLessThanOrEqual(258);
  });

  it('try a range again from the call that failed', async () => {
    const folder = await freshFolder();
    const log = join(folder, 'calls');
    await writeFile(log, '');
    const tasks = join(folder, 'tasks.mjs');
    await writeFile(
      tasks,
      `import { appendFileSync, readFileSync } from 'node:fs';
      export const bodies = {
        ping: async ({ taskId, workerName }) => {
          appendFileSync(${JSON.stringify(log)}, taskId.split('-').at(-1));
          if (readFileSync(${JSON.stringify(log)}, 'utf8') === '012') throw new Error('only once');
          return { status: 'pong', worker: workerName };
        },
      };`,
    );
    const serve = await startTestServe(join(folder, 'state'));
    startTestWorker(serve, 'worker', ['--tasks', tasks]);
    const options = { maxRetries: 1, retryBackoff: false };
    const workflow = await serve.grid.run(chunks('ping', [{}, {}, {}, {}], 4, options));
    expect((await workflow.get()).flat()).toHaveLength(4);
    expect(await readFile(log, 'utf8')).toBe('01223');
  });

  it('are run, shown, drawn and revoked on the command line', async () => {
    const folder = await freshFolder();
    const serve = await startTestServe(join(folder, 'state'));
    const environment = { TABGRID_URL: serve.url, TABGRID_TOKEN: serve.token };
    const workflow = (...args: string[]) => run(['workflow', ...args], environment);
    const path = join(folder, 'canvas.json');
    await writeFile(path, JSON.stringify(group(s('ping'), chain(s('ping'), si('ping', {})))));
    const watched = await workflow('run', path, '--watch');
    expect([watched.status, JSON.parse(watched.stdout)]).toMatchObject([0, [{ status: 'pong' }, { status: 'pong' }]]);
    expect(watched.stderr).toMatch(/^Workflow w-\w+ is under way\.\nworkflow: /);

    const waiting = map('evaluate_candidates', [[[1]]], { kwargs: sphere });
    const env = { ...process.env, ...environment };
    const input = JSON.stringify(withLabels(waiting, 'mine'));
    const piped = spawnSync(process.execPath, [tabgridBin, 'workflow', 'run', '-'], { env, input, encoding: 'utf8' });
    const id = piped.stdout.trim();
    await writeFile(path, JSON.stringify({ group: [], chain: [] }));
    const unfit = join(folder, 'unfit.json');
    const pongs = { chain: [s('ping'), { task: 'evaluate_candidates', kwargs: sphere }] };
    await writeFile(unfit, JSON.stringify(pongs));
    const [listed, shown, graph, refused, failed, unknown] = await Promise.all([
      workflow('list', '--label', 'mine', '--json'),
      workflow('show', id),
      workflow('graph', id),
      workflow('run', path, '--timeout', '1s'),
      workflow('run', unfit, '--wait'),
      workflow('show', `w-${'0'.repeat(26)}`),
    ]);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ workflow_id: id, state: 'STARTED', total: 1, succeeded: 0 }]);
    expect(shown.stdout).toMatch(/^workflow {3}w-\w+\nstate {6}STARTED\ncalls {6}0 of 1\n/);
    expect(graph.stdout).toMatch(/^digraph "w-\w+" \{[^]*evaluate_candidates × 1[^]*\}\n$/);
    expect(refused).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is not a workflow:\n  expected exactly one of') as string,
    });
    const reason = /\ntabgrid: chain\.1: .*candidates.*\(invalid_arguments\)\n$/;
    expect(failed).toMatchObject({ status: 1, stderr: expect.stringMatching(reason) as string });
    expect(unknown).toMatchObject({ status: 1, stderr: expect.stringContaining('not_found') as string });
    expect((await workflow('revoke', id, '--terminate', '--json')).stdout).toContain('"state":"REVOKED"');
  });
});
