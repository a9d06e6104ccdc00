import { instantiate } from '../../../kernels/index.ts';
import { Rng } from '../../../kernels/rng/index.ts';
import type { KernelCases } from './case.ts';

const [SEED, STREAM] = [4503599627382841, 77];

export const rngCases: KernelCases = {
  typescript: () => {
    const rng = new Rng(SEED, STREAM);
    return [Array.from({ length: 2000 }, () => [rng.uniform(), rng.normal(), rng.integer(1000), rng.uint32()]).flat()];
  },
  binary: (module) => {
    const { exports } = instantiate(module);
    const rng = exports.rngNew(SEED, STREAM, 3);
    const draw = () => [exports.rngUniform(rng), exports.rngNormal(rng), exports.rngInteger(rng, 1000)];
    return [Array.from({ length: 2000 }, draw).flat(), [exports.rngPosition(rng)]];
  },
  shuffle: () => {
    const order = Uint32Array.from({ length: 500 }, (_, i) => i);
    new Rng(SEED).shuffle(order);
    return [order];
  },
};
