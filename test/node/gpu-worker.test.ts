import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { KwargsInput, Result } from '#catalog';
import { GpuDevice, type GpuOpening } from '#kernels/gpu';
import { GROUP_TOLERANCE } from '#kernels/mlp/group';
import type { AsyncResult } from '../../client/sdk/index.ts';
import { ProcessGpu } from '../../node-worker/gpu-process/device.ts';
import { gpuEnvironment } from '../../node-worker/gpu-process/environment.ts';
import { softwareGpuEnvironment } from '../../node-worker/gpu.ts';
import {
  freshFolder,
  run,
  start,
  startTestServe,
  startTestWorker,
  type Running,
  type TestServe,
} from './helpers/processes.ts';
import { until, untilGone } from './helpers/wait.ts';

const software = softwareGpuEnvironment();
if (software === undefined) throw new Error('There is no adapter in software: npm run setup brings Chromium’s.');

/** A Node worker that sees the adapter of these variables and no other. */
async function startGpuWorker(serve: TestServe, environment: Record<string, string>): Promise<Running> {
  const args = ['--url', serve.url, '-n', 'gpu', '--gpu', '--concurrency', '2'];
  const worker = start(['worker', ...args], { TABGRID_TOKEN: serve.token, ...environment });
  await worker.printed(/Working for/);
  return worker;
}

type Training = KwargsInput<'train_surrogate'>;
const training: Training = {
  rows: Array.from({ length: 60 }, (_, i) => [i / 60, (i * 7) % 60, Math.sin(i / 9) + i / 30]),
  inputs: ['a', 'b'],
  targets: ['y'],
  hidden: [64, 64],
  epochs: 25,
  members: 3,
  learning_rate: 0.003,
};
/** Far too long for the adapter in software, a matter of a second or two in WASM. */
const long: Training = { ...training, epochs: 600 };

async function submit(
  { grid }: TestServe,
  queue: string,
  kwargs: Training,
): Promise<AsyncResult<Result<'train_surrogate'>>> {
  return grid.submit('train_surrogate', kwargs, { queue });
}

/** Waits for the GPU to have trained for some epochs. */
async function untilTraining(job: AsyncResult<unknown>): Promise<void> {
  await until(async () => {
    const { progress } = await job.view();
    return (progress?.message ?? '').includes('members at once');
  });
}

/** Processes that a worker has started. */
function childrenOf({ child }: Running): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return rows.flatMap(([pid, parent]) => (pid !== undefined && parent === child.pid ? [pid] : []));
}

describe('a worker with a GPU', () => {
  it('trains ensembles on it, and leaves in the middle with what another goes on from', async () => {
    const serve = await startTestServe(await freshFolder());
    const worker = await startGpuWorker(serve, software);
    const [row] = await serve.grid.workers();
    expect(row).toMatchObject({ name: 'gpu', capabilities: { gpu: true } });
    expect(row?.capabilities.description).toMatch(/, GPU: .*SwiftShader/);
    expect(row?.queues).toContain('gpu_training');
    const { stdout } = await run(['inspect', 'stats', '--url', serve.url], { TABGRID_TOKEN: serve.token });
    expect(stdout).toMatch(/^gpu +online .*SwiftShader/m);

    const onGpu = await (await submit(serve, 'gpu_training', training)).get();
    const inWasm = await (await submit(serve, 'default', training)).get();
    expect(onGpu).toMatchObject({ backend: 'webgpu', epochs_run: [25, 25, 25] });
    expect(onGpu.reason).toContain('SwiftShader');
    expect(inWasm).not.toHaveProperty('backend');
    const loss = inWasm.train_loss ?? NaN;
    expect(Math.abs((onGpu.train_loss ?? NaN) - loss)).toBeLessThan(GROUP_TOLERANCE.loss * Math.max(loss, 0.01));

    const job = await submit(serve, 'gpu_training', long);
    await untilTraining(job);
    const processes = childrenOf(worker);
    expect(processes).toHaveLength(1);
    // As a service manager does, which tells all processes at once.
    for (const pid of processes) process.kill(pid, 'SIGTERM');
    expect(await worker.stop('SIGTERM')).toMatchObject({ status: 0, signal: null });
    for (const pid of processes) await untilGone(pid);
    startTestWorker(serve, 'plain', ['--queues', 'gpu_training']);
    expect(await job.get()).toMatchObject({
      backend: 'wasm',
      reason: 'This worker computes without a GPU. The training was begun on a GPU.',
      epochs_run: [600, 600, 600],
    });
  });

  it('loses a task, not itself, when a driver ends the process that has the GPU', async () => {
    const serve = await startTestServe(await freshFolder());
    const worker = await startGpuWorker(serve, software);
    const job = await serve.grid.submit('train_surrogate', long, { queue: 'gpu_training', maxRetries: 0 });
    await until(async () => (await job.view()).state === 'STARTED');
    for (const pid of childrenOf(worker)) process.kill(pid, 'SIGKILL');
    await expect(job.get()).rejects.toThrow('The compute thread ended: SIGKILL');
    const next = await submit(serve, 'default', { ...training, epochs: 1 });
    expect(await next.get()).toMatchObject({ epochs_run: [1, 1, 1] });
    expect(await worker.stop('SIGTERM')).toMatchObject({ status: 0 });
  });

  it('can be killed in the middle: nothing of it stays, and a worker without a GPU ends its task', async () => {
    const serve = await startTestServe(await freshFolder());
    const worker = await startGpuWorker(serve, software);
    const job = await submit(serve, 'gpu_training', long);
    await untilTraining(job);
    const processes = childrenOf(worker);
    await worker.stop('SIGKILL');
    for (const pid of processes) await untilGone(pid);
    startTestWorker(serve, 'plain', ['--queues', 'gpu_training']);
    expect(await job.get()).toMatchObject({ backend: 'wasm', epochs_run: [600, 600, 600] });
  });
});

describe('a worker that is to have a GPU and finds none', () => {
  it('says why, and works as if it had not been asked', async () => {
    const serve = await startTestServe(await freshFolder());
    const worker = await startGpuWorker(serve, { VK_ICD_FILENAMES: '/nowhere/driver.json' });
    expect(worker.stderr).toMatch(/^tabgrid worker: No GPU is used\. WebGPU finds no adapter/m);
    const [row] = await serve.grid.workers();
    expect(row).toMatchObject({ capabilities: { gpu: false } });
    expect(row?.queues).not.toContain('gpu_training');
    const job = await submit(serve, 'default', { ...training, epochs: 1 });
    expect(await job.get()).toMatchObject({ epochs_run: [1, 1, 1] });
    expect(await worker.stop('SIGTERM')).toMatchObject({ status: 0, signal: null });
  });
});

describe('the device of a GPU process', () => {
  it('is one for all tasks until it fails, and then another one', async () => {
    const ends: ((info: GPUDeviceLostInfo) => void)[] = [];
    const closed: number[] = [];
    const gpu = new ProcessGpu(async (): Promise<GpuOpening> => {
      const number = ends.length;
      const lost = new Promise<GPUDeviceLostInfo>((resolve) => ends.push(resolve));
      const queue = { onSubmittedWorkDone: () => Promise.resolve() };
      const raw = { lost, queue, addEventListener: () => undefined, destroy: () => closed.push(number) };
      const info = { description: `device ${number}`, vendor: '', architecture: '', device: '' };
      return { type: 'open', device: new GpuDevice(raw as unknown as GPUDevice, info as GPUAdapterInfo) };
    });
    const first = await gpu.open();
    expect(await gpu.open()).toBe(first);
    ends[0]?.({ message: 'unplugged', reason: 'unknown' } as GPUDeviceLostInfo);
    const second = await until(async () => {
      const opening = await gpu.open();
      return opening === first ? null : opening;
    });
    expect(second).toMatchObject({ type: 'open', device: { adapter: 'device 1', failure: null } });
    expect(closed).toEqual([0]);
  });

  it('is asked for again while there is none', async () => {
    const answers: GpuOpening[] = [1, 2].map((n) => ({ type: 'absent', reason: `no device, ${n}` }));
    const gpu = new ProcessGpu(async () => answers.shift() ?? { type: 'absent', reason: 'asked too often' });
    expect(await gpu.open()).toMatchObject({ reason: 'no device, 1' });
    expect(await gpu.open()).toMatchObject({ reason: 'no device, 2' });
  });

  it('is found by what drivers read, and tokens stay behind', () => {
    const seen = gpuEnvironment({
      VK_ICD_FILENAMES: 'a',
      LD_LIBRARY_PATH: 'b',
      HOME: 'c',
      TABGRID_TOKEN: 'd',
      AWS_KEY: 'e',
    });
    expect(seen).toEqual({ VK_ICD_FILENAMES: 'a', LD_LIBRARY_PATH: 'b', HOME: 'c' });
  });
});
