import { describe, expect, it } from 'vitest';
import type { KwargsInput, Result } from '#catalog';
import { GROUP_TOLERANCE } from '#kernels/mlp/group';
import { softwareGpuEnvironment } from '../../node-worker/gpu.ts';
import {
  freshFolder,
  start,
  startTestServe,
  startTestWorker,
  type Running,
  type TestServe,
} from './helpers/processes.ts';

const software = softwareGpuEnvironment();
if (software === undefined) throw new Error('There is no adapter in software: npm run setup brings Chromium’s.');

/** A Node worker that sees the adapter of these variables and no other. */
function startGpuWorker(serve: TestServe, environment: Record<string, string>, args: readonly string[] = []): Running {
  const options = ['--gpu', '--concurrency', '2', ...args];
  return start(['worker', '--url', serve.url, '-n', 'gpu', ...options], { TABGRID_TOKEN: serve.token, ...environment });
}

const training: KwargsInput<'train_surrogate'> = {
  rows: Array.from({ length: 60 }, (_, i) => [i / 60, (i * 7) % 60, Math.sin(i / 9) + i / 30]),
  inputs: ['a', 'b'],
  targets: ['y'],
  hidden: [16],
  epochs: 40,
  members: 3,
  learning_rate: 0.01,
};

describe('a worker with a GPU', () => {
  it('trains ensembles from gpu_training on it, says so, and leaves in good order', async () => {
    const serve = await startTestServe(await freshFolder());
    const worker = startGpuWorker(serve, software);
    await worker.printed(/Working for/);
    const [row] = await serve.grid.workers();
    expect(row).toMatchObject({ name: 'gpu', capabilities: { gpu: true } });
    expect(row?.capabilities.description).toMatch(/GPU: .*SwiftShader/);
    expect(row?.queues).toContain('gpu_training');

    const t0 = Date.now();
    const onGpu = await train(serve, 'gpu_training');
    console.log(Date.now() - t0, onGpu);
    const inWasm = await train(serve, 'default');
    expect(onGpu).toMatchObject({ backend: 'webgpu', epochs_run: [40, 40, 40] });
    expect(onGpu.reason).toContain('SwiftShader');
    expect(Object.keys(inWasm)).not.toContain('backend');
    const difference = Math.abs((onGpu.train_loss ?? NaN) - (inWasm.train_loss ?? NaN));
    expect(difference).toBeLessThan(GROUP_TOLERANCE.loss * Math.max(inWasm.train_loss ?? NaN, 0.01));
    expect(await worker.stop('SIGTERM')).toMatchObject({ status: 0, signal: null });
  });
});

async function train(serve: TestServe, queue: string, epochs = 40): Promise<Result<'train_surrogate'>> {
  const job = await serve.grid.submit('train_surrogate', { ...training, epochs }, { queue });
  return job.get({ timeoutSeconds: 120 });
}
