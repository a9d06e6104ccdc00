import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EventType, GridEvent, TaskView } from '#protocol';
import { Grid, ResultTimeout, signature } from '../../client/sdk/index.ts';
import { essence, finish, runReplay } from './helpers/campaigns.ts';
import { freshFolder, startTestServe, startTestWorker } from './helpers/processes.ts';
import { until } from './helpers/wait.ts';

describe('what the README shows', () => {
  it('works from JavaScript', async () => {
    const serve = await startTestServe(await freshFolder());
    startTestWorker(serve, 'worker');
    const { url, token } = serve;
    const grid = new Grid({ url, token });
    const result = await grid.submit('run_cmaes_optimization', {
      objective: { builtin: 'rosenbrock' },
      dimension: 10,
      bounds: [-5, 5],
      restarts: 'bipop',
    });
    expect((await result.get()).fun).toBeLessThan(1e-6);
  });

  it('works over HTTP', async () => {
    const { url, token } = await startTestServe(await freshFolder());
    const headers = { authorization: `Bearer ${token}` };
    const submitted = await fetch(`${url}/v1/tasks`, { method: 'POST', headers, body: '{"task": "ping"}' });
    expect(submitted.status).toBe(202);
    const { task_id: id } = (await submitted.json()) as { task_id: string };
    const task = (await (await fetch(`${url}/v1/tasks/${id}?wait=30`, { headers })).json()) as TaskView;
    expect(task).toMatchObject({ state: 'SUCCESS', result: { status: 'pong' } });
  });

  it('works with a simulation of one’s own', async () => {
    const folder = await freshFolder();
    const script = join(folder, 'sim.py');
    await writeFile(
      script,
      'import json, sys\nx = json.load(sys.stdin)\nprint(json.dumps({"toughness": x["n"] - (x["theta"] - 90) ** 2 / 900}))\n',
    );
    const serve = await startTestServe(join(folder, 'state'));
    startTestWorker(serve, 'lab', ['--evaluator', `barrel=python3 ${script}`]);
    const campaign = await serve.grid.campaigns.run({
      name: 'barrels',
      space: {
        inputs: [
          { name: 'n', type: 'integer', min: 6, max: 12 },
          { name: 'theta', type: 'float', min: 0, max: 200 },
        ],
      },
      objectives: [{ name: 'toughness', goal: 'max' }],
      evaluator: { kind: 'named', name: 'barrel' },
      initial: 6,
      batch_size: 2,
      budget: 16,
      seed: 1,
    });
    const view = await finish(campaign);
    expect(view.state).toBe('SUCCESS');
    expect(view.progress.evaluated).toBe(16);
    expect(view.best?.values.toughness).toBeGreaterThan(9);
    expect((await campaign.pareto()).front).toHaveLength(1);
    const csv = await campaign.export('csv');
    expect(csv.split('\n')[0]).toContain('theta');
    expect(csv.trim().split('\n')).toHaveLength(17);
  });
});

describe('the task flow', () => {
  it('answers with an id while the work runs elsewhere, and tells each step to whoever listens', async () => {
    const serve = await startTestServe(await freshFolder());
    const { grid } = serve;
    const rows = Array.from({ length: 60 }, (_, i) => ({ x: i / 60, y: (i / 60) ** 2 }));
    const result = await grid.submit('train_surrogate', {
      rows,
      inputs: ['x'],
      targets: ['y'],
      hidden: [32],
      epochs: 100_000,
      members: 2,
    });
    expect((await result.view()).state).toBe('PENDING');
    const events = grid.events({ taskId: result.id });
    const told: GridEvent[] = [];
    const listening = (async () => {
      for await (const event of events) {
        told.push(event);
        if (event.type === 'task-succeeded') return;
      }
    })();
    await events.opened();
    startTestWorker(serve, 'worker');
    const trained = await result.get();
    await listening;
    const types = told.map(({ type }) => type);
    const inOrder: EventType[] = ['task-received', 'task-started', 'task-progress', 'task-succeeded'];
    // The first of each, in the order in which they came.
    expect([...new Set(types)].filter((type) => inOrder.includes(type))).toEqual(inOrder);
    const model = await (await grid.files.get(trained.model_path)).json();
    expect(model).toMatchObject({ inputs: ['x'], targets: ['y'] });
  });

  it('gives a second worker its share as soon as it comes', async () => {
    const serve = await startTestServe(await freshFolder());
    const { grid } = serve;
    startTestWorker(serve, 'first', ['--concurrency', '1']);
    const work = {
      objective: { suite: 'bbob', function: 15, instance: 1 },
      dimension: 20,
      max_evaluations: 40_000,
    } as const;
    const results = await grid.submitAll(
      Array.from({ length: 30 }, (_, seed) => signature('run_cmaes_optimization', { ...work, seed })),
    );
    await results[0]!.get();
    startTestWorker(serve, 'second', ['--concurrency', '1']);
    const tasks = await Promise.all(results.map((result) => result.settled()));
    expect(new Set(tasks.map(({ state }) => state))).toEqual(new Set(['SUCCESS']));
    const done = await until(async () => {
      const counts = (await grid.workers()).map(({ name, succeeded }) => [name, succeeded] as const);
      const total = counts.reduce((sum, [, count]) => sum + count, 0);
      return total === 30 ? new Map(counts) : null;
    });
    expect(done.get('first')).toBeGreaterThan(1);
    expect(done.get('second')).toBeGreaterThan(1);
  });

  it('gives the same campaign with one worker as with three', async () => {
    const one = await startTestServe(await freshFolder());
    startTestWorker(one, 'alone', ['--concurrency', '1']);
    const three = await startTestServe(await freshFolder());
    for (const name of ['a', 'b', 'c']) startTestWorker(three, name, ['--concurrency', '1']);
    const [alone, together] = await Promise.all(
      [one, three].map(async ({ grid }) => essence(await finish(await runReplay(grid)))),
    );
    expect(together).toEqual(alone);
  });

  it('fails with the reason, and does not try again what no retry can mend', async () => {
    const serve = await startTestServe(await freshFolder());
    startTestWorker(serve, 'worker');
    const result = await serve.grid.submit('train_surrogate', {
      dataset_path: '/datasets/none.csv',
      inputs: ['a'],
      targets: ['b'],
    });
    await expect(result.get()).rejects.toMatchObject({ code: 'file_not_found' });
    expect((await result.view()).attempts).toHaveLength(1);
  });

  it('revokes what nobody has begun, and what is being computed', async () => {
    const serve = await startTestServe(await freshFolder());
    const { grid } = serve;
    const waiting = await grid.submit('ping', {}, { countdownSeconds: 3600 });
    expect((await waiting.revoke()).state).toBe('REVOKED');
    await expect(waiting.get()).rejects.toMatchObject({ code: 'revoked' });

    startTestWorker(serve, 'worker');
    const long = await grid.submit('run_cmaes_optimization', {
      objective: { suite: 'bbob', function: 15, instance: 1 },
      dimension: 40,
      restarts: 'ipop',
      max_evaluations: 1e9,
    });
    await until(async () => (await long.view()).state === 'STARTED');
    await expect(long.get({ timeoutSeconds: 0.1 })).rejects.toBeInstanceOf(ResultTimeout);
    await long.revoke({ terminate: true });
    expect((await long.view()).state).toBe('REVOKED');
    // Its thread is free again.
    expect(
      await (await grid.submit('run_cmaes_optimization', { objective: { builtin: 'sphere' }, dimension: 2 })).get(),
    ).toBeTruthy();
  });
});

describe('owners', () => {
  it('see their own things only, each under the same names', async () => {
    const serve = await startTestServe(await freshFolder());
    const { url, state } = serve;
    const mint = async (sub: string): Promise<Grid> => {
      const { token } = await serve.grid.request<{ token: string }>('POST', '/v1/tokens', {
        scope: ['submit', 'read'],
        sub,
      });
      return new Grid({ url, token });
    };
    const [ann, bob] = [await mint('ann'), await mint('bob')];
    await ann.files.put('/datasets/d.csv', 'a\n1\n');
    await bob.files.put('/datasets/d.csv', 'b\n2\n');
    expect(await (await ann.files.get('/datasets/d.csv')).text()).toBe('a\n1\n');
    const task = await ann.submit('ping', {});
    await task.get();
    await expect(bob.result(task.id).view()).rejects.toMatchObject({ code: 'not_found' });
    expect((await readFile(join(state, 'token'), 'utf8')).trim()).toBe(serve.token);
  });
});
