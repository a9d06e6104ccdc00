import { openGpu } from '#kernels/gpu';
import { Rng } from '#kernels/rng';
import type { Scenario } from './scenario.ts';

/** Where formulas change, and the ends: 0, ½ and 1, on both sides, and r = 5 of AS 241 near p = 1.4e-11. */
const EDGES = [
  [0, 0],
  [0, 0xffffffff],
  [0, 0x80000000],
  [0x7fffffff, 0xffffffff],
  [0x7fffffff, 0],
  [0x80000000, 0],
  [0xffffffff, 0xffffffff],
  [0xffffffff, 0],
  [0x13333333, 0x33333333],
  [0x13333340, 0],
  [0x40, 0],
  [0x00000fff, 0x12345678],
];
const RANDOM_PAIRS = 20_000;

/** Deviates in f32 that the device derives from words. */
export const deviates: Scenario = async (gpu) => {
  const opening = await openGpu(gpu);
  if (opening.type === 'absent') throw new Error(opening.reason);
  const { device } = opening;
  const rng = new Rng(20261127, 3);
  const pairs = Uint32Array.from([...EDGES.flat(), ...Array.from({ length: 2 * RANDOM_PAIRS }, () => rng.uint32())]);
  const program = device.program('rng/deviates', ['read', 'write']);
  const [input, output] = [device.upload('storage', pairs), device.storage(pairs.byteLength)];
  const bytes = pairs.byteLength;
  device
    .commands()
    .dispatch(
      await program.pipeline('derive'),
      program.bind([
        { buffer: input, bytes },
        { buffer: output, bytes },
      ]),
      [Math.ceil(pairs.length / 128)],
    )
    .submit();
  const derived = new Float32Array(await device.read(output, 0, bytes));
  await device.close();
  return { pairs: [...pairs], derived: [...derived] };
};
