import { beforeEach, describe, expect, it } from 'vitest';
import type { KwargsInput } from '#catalog';
import type { Assignment, TaskId } from '#protocol';
import { Attempt, systemClock, type AttemptSettings } from '../../../client/worker/index.ts';
import { stepEpochs } from '../../../client/worker/tasks/training/at-once.ts';
import { GpuDevice, type GpuOpening } from '../../../kernels/gpu/index.ts';
import { defaults, smoothData } from '../kernels/mlp-data.ts';
import { faultOf, Workbench } from './context.ts';

const path = '/models/m.json';
const training: KwargsInput<'train_surrogate'> = {
  rows: Array.from({ length: 30 }, (_, i) => [i / 30, ((i * 7) % 30) / 30, Math.sin(i / 5)]),
  inputs: ['a', 'b'],
  targets: ['y'],
  hidden: [6],
  epochs: 60,
  members: 2,
  learning_rate: 0.01,
  model_path: path,
};

const absent: GpuOpening = { type: 'absent', reason: 'There is no adapter.' };

/** A device that takes everything but shaders. */
function stubbornDevice(): GpuOpening {
  const buffer = {};
  const raw = {
    limits: { maxStorageBufferBindingSize: 2 ** 28, maxBufferSize: 2 ** 28 },
    lost: new Promise(() => undefined),
    addEventListener: () => undefined,
    queue: { writeBuffer: () => undefined },
    createBuffer: () => buffer,
    createCommandEncoder: () => ({}),
    createShaderModule: () => ({}),
    createBindGroupLayout: () => ({}),
    createBindGroup: () => ({}),
    createPipelineLayout: () => ({}),
    createComputePipelineAsync: () => Promise.reject(new Error('no shaders today')),
  };
  const info = { description: 'stubborn', vendor: '', architecture: '', device: '' };
  return { type: 'open', device: new GpuDevice(raw as unknown as GPUDevice, info as GPUAdapterInfo) };
}

let bench: Workbench;
beforeEach(async () => {
  bench = await Workbench.create();
});

/** The model file of the same training on another queue. */
async function inWasm(kwargs = training): Promise<Uint8Array> {
  const other = await Workbench.create();
  expect(await other.run('train_surrogate', kwargs)).not.toHaveProperty('backend');
  return other.read(path);
}

function withGpu(opening: GpuOpening): void {
  bench.gpu = () => Promise.resolve(opening);
}

describe('train_surrogate on the queue gpu_training', () => {
  it('trains in WASM where there is no GPU, to the bytes of other queues, and says why', async () => {
    withGpu(absent);
    const result = await bench.run('train_surrogate', training);
    expect(result).toMatchObject({ backend: 'wasm', reason: 'There is no adapter.', epochs_run: [60, 60] });
    expect(bench.read(path)).toEqual(await inWasm());
  });

  it('names the option that a GPU cannot train with', async () => {
    withGpu(stubbornDevice());
    const kwargs = { ...training, dropout: 0.1 };
    const result = await bench.run('train_surrogate', kwargs);
    expect(result).toMatchObject({ backend: 'wasm', reason: 'The GPU version has no dropout.' });
    expect(bench.read(path)).toEqual(await inWasm(kwargs));
  });

  it('goes on in WASM when the device fails, and says how', async () => {
    withGpu(stubbornDevice());
    const result = await bench.run('train_surrogate', training);
    expect(result.backend).toBe('wasm');
    expect(result.reason).toMatch(/^The GPU refused: .*no shaders today$/);
    expect(bench.read(path)).toEqual(await inWasm());
    expect(bench.progress.at(-1)).toMatchObject({ fraction: 1, message: '2 members at once, epoch 60 of 60' });
  });

  it('goes on without a GPU from snapshots of a worker that had one', async () => {
    withGpu(stubbornDevice());
    bench.takesSnapshots = true;
    await bench.run('train_surrogate', training);
    expect(bench.snapshots).toHaveLength(3);
    withGpu(absent);
    for (const snapshot of bench.snapshots) {
      const result = await bench.run('train_surrogate', training, snapshot);
      expect(result.reason).toBe('There is no adapter. The training was begun on a GPU.');
      expect(bench.read(path)).toEqual(await inWasm());
    }
  });

  it('stays in WASM with a GPU when it was begun there', async () => {
    bench.takesSnapshots = true;
    await bench.run('train_surrogate', training);
    withGpu(stubbornDevice());
    const result = await bench.run('train_surrogate', training, bench.snapshots[70]);
    expect(result).toMatchObject({ backend: 'wasm', reason: 'The training was begun without a GPU.' });
    expect(bench.read(path)).toEqual(await inWasm());
  });

  it('begins anew when the data are not those of the snapshot', async () => {
    withGpu(stubbornDevice());
    bench.takesSnapshots = true;
    await bench.run('train_surrogate', { ...training, seed: 1, validation_fraction: 0 });
    const result = await bench.run('train_surrogate', training, bench.snapshots[0]);
    expect(result.reason).toMatch(/^The GPU refused/);
    expect(bench.read(path)).toEqual(await inWasm());
  });

  it('ends between steps when it is stopped or its time is over', async () => {
    withGpu(stubbornDevice());
    bench.betweenSteps = () => bench.soft.abort(new Error('the soft time limit is over'));
    await expect(bench.run('train_surrogate', training)).rejects.toThrow('the soft time limit is over');
    bench.betweenSteps = () => bench.stop.abort(new Error('revoked'));
    await expect(bench.run('train_surrogate', training)).rejects.toThrow('revoked');
    expect(bench.progress).toHaveLength(2);
  });

  it('fails when a member diverges', async () => {
    withGpu(stubbornDevice());
    // Each step multiplies the weights by 1 − 1·10.
    const wild = { ...training, solver: 'adamw' as const, learning_rate: 1, weight_decay: 10 };
    const pending = bench.run('train_surrogate', wild);
    expect(await faultOf(pending)).toMatch(/^invalid_input learningRate: /);
  });
});

describe('a step', () => {
  it('has fewer epochs the more there is to compute, and at least one', () => {
    const data = smoothData(1000, 8, 1, 1);
    const options = { ...defaults, hidden: [64, 64] };
    expect(stepEpochs(data, [options])).toBe(25);
    expect(
      stepEpochs(
        data,
        Array.from({ length: 10 }, () => options),
      ),
    ).toBe(3);
    expect(
      stepEpochs(
        data,
        Array.from({ length: 64 }, () => ({ ...options, hidden: [512, 512] })),
      ),
    ).toBe(1);
  });
});

describe('an attempt', () => {
  async function gpuOf(queue: string, settings: Partial<AttemptSettings>): Promise<unknown> {
    let seen: unknown;
    const context = bench.context();
    const attempt = new Attempt(
      { ...assignment, queue },
      {
        bodies: {
          ping: async ({ gpu }) => {
            seen = await gpu?.();
            throw new Error('seen');
          },
        },
        kernels: context.kernels,
        kernelDigest: context.kernelDigest,
        workerName: 'bench',
        clock: systemClock,
        pause: () => Promise.resolve(),
        ...settings,
      },
      { files: context.files, onProgress: () => undefined, onSnapshot: () => undefined },
    );
    await attempt.run();
    return seen;
  }

  const assignment: Assignment = {
    ...{ task_id: '0-01000000000000000000000000' as TaskId, attempt: 1, task: 'ping', args: [], kwargs: {} },
    ...{ queue: 'default', priority: 5, retries: 0, owner: 'me', snapshot: null },
    ...{ soft_time_limit_ms: 60_000, time_limit_ms: 60_000 },
  };

  it('gives the GPU to tasks of gpu_training alone', async () => {
    const device = stubbornDevice();
    const gpu = (): Promise<GpuOpening> => Promise.resolve(device);
    expect(await gpuOf('gpu_training', { gpu })).toBe(device);
    expect(await gpuOf('default', { gpu })).toBeUndefined();
  });

  it('tells tasks of gpu_training that there is none', async () => {
    expect(await gpuOf('gpu_training', {})).toEqual({
      type: 'absent',
      reason: 'This worker computes without a GPU.',
    });
  });
});
