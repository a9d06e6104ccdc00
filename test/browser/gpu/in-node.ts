import { readFile } from 'node:fs/promises';
import { compileKernels } from '#kernels';
import { dawnGpu } from '../../../node-worker/gpu.ts';
import { scenarios } from './scenarios.ts';
import type { ScenarioName } from './scenarios.ts';

/** `node in-node.js <kernels.wasm> <scenario>` prints what the scenario gives, as JSON. */
const [file = '', name = ''] = process.argv.slice(2);
const kernels = await compileKernels(new Uint8Array(await readFile(file)));
const result = await scenarios[name as ScenarioName](await dawnGpu(), kernels);
process.stdout.write(JSON.stringify(result));
