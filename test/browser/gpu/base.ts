import { GpuError, openGpu, packRecords } from '#kernels/gpu';
import type { GpuDevice } from '#kernels/gpu';
import type { Scenario } from './scenario.ts';

const STREAMS = 5;
const BLOCKS = 40;

/** Words of the first streams of a seed, as the device makes them. */
async function fillWords(device: GpuDevice, seed: number): Promise<number[]> {
  const program = device.program('rng/words', ['uniform', 'write']);
  const bytes = 16 * STREAMS * BLOCKS;
  const request = [{ u32: seed >>> 0 }, { u32: Math.floor(seed / 2 ** 32) }, { u32: BLOCKS }, { u32: STREAMS }];
  const uniform = device.upload('uniform', packRecords([request]));
  const words = device.storage(bytes);
  const bindings = program.bind([{ buffer: uniform }, { buffer: words }]);
  const pipeline = await program.pipeline('fill');
  device
    .commands()
    .dispatch(pipeline, bindings, [Math.ceil((STREAMS * BLOCKS) / 64)])
    .submit();
  const read = await device.read(words, 0, bytes);
  device.buffers.giveBack(uniform);
  device.buffers.giveBack(words);
  return [...new Uint32Array(read)];
}

async function refusal(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof GpuError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}

/** What the base does where there is an adapter: words of two seeds in turn, a fault, a loss. */
export const base: Scenario = async (gpu) => {
  const opening = await openGpu(gpu);
  if (opening.type === 'absent') throw new Error(opening.reason);
  const { device } = opening;
  const seeds = [0x1234_5678_9abc, 7];
  const words: number[][] = [];
  for (const seed of seeds) words.push(await fillWords(device, seed));
  const small = device.storage(256);
  const fault = await refusal(device.read(small, 0, 1 << 20));
  await device.close();

  const second = await openGpu(gpu);
  if (second.type === 'absent') throw new Error(second.reason);
  const reading = refusal(fillWords(second.device, 7));
  second.device.raw.destroy();
  const loss = await reading;
  const later = await refusal(fillWords(second.device, 7));
  await second.device.close();
  return { adapter: device.adapter, seeds, streams: STREAMS, blocks: BLOCKS, words, fault, loss, later };
};

/** What `openGpu` says where WebGPU gives nothing. */
export const absence: Scenario = async () => {
  const without = await openGpu(undefined);
  const none = await openGpu({ requestAdapter: async () => null } as unknown as GPU);
  const refusing = await openGpu({
    requestAdapter: async () => ({ limits: {}, requestDevice: async () => Promise.reject(new Error('too busy')) }),
  } as unknown as GPU);
  return { openings: [without, none, refusing] };
};
