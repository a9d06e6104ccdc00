import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NORMAL_F32_TOLERANCE, normalQuantile, philox4x32 } from '#kernels/rng';
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

  it('derives uniform numbers from them exactly, and normal ones within the tolerance', async () => {
    const { pairs, derived } = (await gpu.run(place, 'deviates')) as { pairs: number[]; derived: number[] };
    let worst = 0;
    for (let i = 0; i < pairs.length; i += 2) {
      const [a = 0, b = 0] = [pairs[i], pairs[i + 1]];
      expect(derived[i]).toBe((a >>> 8) / 2 ** 24);
      const normal = normalQuantile(((a >>> 6) * 2 ** 26 + (b >>> 6) + 0.5) / 2 ** 52);
      const { relative, absolute } = NORMAL_F32_TOLERANCE;
      const difference = Math.abs((derived[i + 1] ?? NaN) - normal);
      worst = Math.max(worst, difference / (relative * Math.abs(normal) + absolute));
    }
    expect(worst).toBeLessThan(1);
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
