import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { philox4x32 } from '#kernels/rng';
import { GpuPlaces, places } from './support/gpu.ts';

let gpu: GpuPlaces;

beforeAll(async () => {
  gpu = await GpuPlaces.open();
});

afterAll(async () => {
  await gpu.close();
});

interface Base {
  adapter: string;
  seeds: number[];
  streams: number;
  blocks: number;
  words: number[][];
  fault: { code: string; message: string };
  loss: { code: string; message: string };
  later: { code: string; message: string };
}

/** The words that the scenario asks the device for, from the version in TypeScript. */
function expectedWords(seed: number, streams: number, blocks: number): number[] {
  const words = new Uint32Array(4 * streams * blocks);
  for (let i = 0; i < streams * blocks; i++) {
    const counter = [i % blocks, 0, Math.floor(i / blocks), 0] as const;
    philox4x32(counter, [seed >>> 0, Math.floor(seed / 2 ** 32)], words.subarray(4 * i, 4 * i + 4));
  }
  return [...words];
}

describe.each(places)('a GPU in a %s', (place) => {
  it('draws the random words that every other engine draws, and names its losses and faults', async () => {
    const found = (await gpu.run(place, 'base')) as Base;
    expect(found.adapter).toMatch(/swiftshader/i);
    expect(found.words).toEqual(found.seeds.map((seed) => expectedWords(seed, found.streams, found.blocks)));
    expect(found.fault.code).toBe('fault');
    expect(found.fault.message).toMatch(/^The GPU refused: /);
    expect(found.loss.code).toBe('lost');
    expect(found.later).toEqual(found.loss);
  });
});

describe('a missing GPU', () => {
  it('is told in words', async () => {
    expect(await gpu.run('page', 'absence')).toEqual({
      openings: [
        { type: 'absent', reason: 'This engine has no WebGPU.' },
        { type: 'absent', reason: 'WebGPU finds no adapter: there is no GPU, or its driver is too old.' },
        { type: 'absent', reason: 'The adapter gives no device: too busy' },
      ],
    });
  });
});
