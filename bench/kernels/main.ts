import { readFile } from 'node:fs/promises';
import { compileKernels } from '#kernels';
import type { BenchLine, BenchOptions } from '../lib/line.ts';
import { forests } from './forests.ts';
import { fronts } from './fronts.ts';
import { processes } from './gp.ts';
import type { Kernels } from './kernels.ts';
import { products } from './products.ts';
import { quality } from './quality.ts';
import { search } from './search.ts';
import { training } from './training.ts';

const root = new URL('../../', import.meta.url);

/** Speed and quality of the kernels on one core, beside what one would otherwise use. */
export async function* run({ quick, only = '' }: BenchOptions): AsyncGenerator<BenchLine> {
  const bytes = new Uint8Array(await readFile(new URL('kernels/build/kernels.wasm', root)));
  const kernels: Kernels = {
    module: await compileKernels(bytes),
    quick,
    wants: (name) => name.startsWith(only),
  };
  yield* training(kernels);
  yield* products(kernels);
  yield* search(kernels);
  yield* quality(kernels);
  yield* forests(kernels);
  yield* processes(kernels);
  yield* fronts(kernels);
}
