import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compileKernels } from '#kernels';
import { openGpu } from '#kernels/gpu';
import { dawnGpu, softwareGpuEnvironment } from '../../node-worker/gpu.ts';
import type { BenchLine, BenchOptions } from '../lib/line.ts';
import { cmaRuns } from './cma-runs.ts';
import type { GpuCase } from './gpu.ts';
import { mlpEnsemble } from './mlp-ensemble.ts';

const root = new URL('../../', import.meta.url);

const cases: readonly GpuCase[] = [mlpEnsemble, cmaRuns];

/** Kernels on this machine's GPU beside the same in WASM on one core; on a software adapter where there is no other. */
export async function* run(options: BenchOptions): AsyncGenerator<BenchLine> {
  const opening = await openGpu(await dawnGpu());
  if (opening.type === 'absent') {
    yield* runOnSoftware(options, opening.reason);
    return;
  }
  const { device } = opening;
  const { quick, only = '' } = options;
  const module = await compileKernels(new Uint8Array(await readFile(new URL('kernels/build/kernels.wasm', root))));
  for (const gpuCase of cases) {
    if (gpuCase.name.startsWith(only)) yield await gpuCase.run({ module, device, quick });
  }
  await device.close();
}

/** The same in a process that finds Chromium's software adapter. @throws where there is none either */
async function* runOnSoftware({ quick, only }: BenchOptions, reason: string): AsyncGenerator<BenchLine> {
  const software = softwareGpuEnvironment();
  if (software === undefined || process.env.VK_ICD_FILENAMES === software.VK_ICD_FILENAMES) {
    throw new Error(`${reason} For a software adapter run "npm run setup", which brings Chromium's.`);
  }
  const flags = [...(quick ? ['--quick'] : []), ...(only === undefined ? [] : ['--only', only])];
  const script = fileURLToPath(new URL('bench/run.mjs', root));
  const { stdout } = await promisify(execFile)(process.execPath, [script, 'gpu', ...flags], {
    cwd: fileURLToPath(root),
    env: { ...process.env, ...software },
  });
  // Dawn prints warnings there too.
  for (const line of stdout.split('\n')) if (line.startsWith('{')) yield JSON.parse(line) as BenchLine;
}
