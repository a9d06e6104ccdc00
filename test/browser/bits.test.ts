import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileKernels, kernelDigest } from '#kernels';
import { resultDigest, sha256Hex, type Assignment } from '#protocol';
import { Attempt, pauseByMessage, systemClock, type FileAccess } from '../../client/worker/index.ts';
import { bodies } from '../../client/worker/tasks/index.ts';
import { begin, launchChromium, openTab } from './support/browser.ts';
import { TestGrid, until } from './support/grid.ts';

let grid: TestGrid;
let browser: Browser;

beforeAll(async () => {
  [grid, browser] = await Promise.all([TestGrid.start(), launchChromium()]);
});

afterAll(async () => {
  await browser.close();
  await grid.stop();
});

/** Files in a map. */
function memoryFiles(): FileAccess & { kept: Map<string, Uint8Array> } {
  const kept = new Map<string, Uint8Array>();
  return {
    kept,
    read: (path) => Promise.resolve(kept.get(path) ?? new Uint8Array()),
    records: () => Promise.reject(new Error('no records here')),
    write: (path, bytes) => {
      kept.set(path, bytes);
      return Promise.resolve({ path, sha256: sha256Hex(bytes) });
    },
  };
}

/** Computes a task here, in Node, with the code of a worker and no grid. */
async function computeInNode(task: string, kwargs: object) {
  const bytes = new Uint8Array(await readFile(new URL('../../kernels/build/kernels.wasm', import.meta.url)));
  const files = memoryFiles();
  const attempt = new Attempt(
    {
      task_id: `0-${'0'.repeat(26)}` as Assignment['task_id'],
      attempt: 1,
      task,
      args: [],
      kwargs: kwargs as Assignment['kwargs'],
      queue: 'default',
      priority: 5,
      retries: 0,
      owner: 'me',
      soft_time_limit_ms: 3_000_000,
      time_limit_ms: 3_600_000,
      snapshot: null,
    },
    {
      bodies,
      kernels: await compileKernels(bytes),
      kernelDigest: kernelDigest(bytes),
      workerName: 'node',
      clock: systemClock,
      pause: pauseByMessage(),
    },
    { files, onProgress: () => undefined, onSnapshot: () => undefined },
  );
  const { outcome } = await attempt.run();
  if (outcome.type !== 'success') throw new Error(JSON.stringify(outcome));
  return { result: outcome.result, files: files.kept };
}

const rows = Array.from({ length: 60 }, (_, i) => {
  const [a, b, c] = [(i * 7) % 11, (i * 5) % 13, (i * 3) % 17].map((value) => value / 10);
  return [a ?? 0, b ?? 0, c ?? 0, (a ?? 0) * (b ?? 0) - (c ?? 0) * (c ?? 0)];
});

const training = {
  rows,
  inputs: ['a', 'b', 'c'],
  targets: ['y'],
  hidden: [24, 24],
  activation: 'tanh',
  epochs: 60,
  members: 2,
  seed: 11,
  model_path: '/models/bits.json',
};

const search = {
  objective: { suite: 'bbob', function: 15, instance: 3 },
  dimension: 10,
  bounds: [-5, 5],
  restarts: 'bipop',
  max_evaluations: 60_000,
  seed: 5,
};

describe('a tab in Chromium', () => {
  it('trains a model and searches with CMA-ES to the same bits as Node', async () => {
    const tab = await openTab(browser, await grid.invite());
    await begin(tab, 2);
    const [trained, searched] = await Promise.all([
      grid.submit('train_surrogate', training),
      grid.submit('run_cmaes_optimization', search),
    ]);
    const [inTab, searchedInTab] = await Promise.all([grid.finished(trained), grid.finished(searched)]);
    const [inNode, searchedInNode] = [
      await computeInNode('train_surrogate', training),
      await computeInNode('run_cmaes_optimization', search),
    ];
    expect(inTab.worker).toMatch(/^tab-/);
    expect(resultDigest(inTab.result)).toBe(resultDigest(inNode.result));
    expect(resultDigest(searchedInTab.result)).toBe(resultDigest(searchedInNode.result));
    const model = await grid.request('GET', '/v1/files/models/bits.json');
    expect(sha256Hex(new Uint8Array(await model.arrayBuffer()))).toBe(
      sha256Hex(inNode.files.get('/models/bits.json') ?? new Uint8Array()),
    );
    await tab.context.close();
  });

  it('goes on, bit by bit, where a tab that was closed had stopped', async () => {
    const long = { ...search, max_evaluations: 600_000, dimension: 20 };
    const id = await grid.submit('run_cmaes_optimization', long);
    const first = await openTab(browser, await grid.invite());
    await begin(first, 1);
    await until(async () => ((await grid.task(id)).progress?.fraction ?? 0) > 0.05);
    await first.page.getByRole('button', { name: 'Stop' }).click();
    await until(async () => (await grid.task(id)).state === 'PENDING');
    await first.context.close();
    const second = await openTab(browser, await grid.invite());
    await begin(second, 1);
    const task = await grid.finished(id);
    await second.context.close();
    expect(task.attempts.map(({ outcome }) => outcome)).toEqual(['released', 'success']);
    const undisturbed = await computeInNode('run_cmaes_optimization', long);
    expect(resultDigest(task.result)).toBe(resultDigest(undisturbed.result));
  });
});
