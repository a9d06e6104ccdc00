import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface WorkerBundle {
  folder: string;
  threadFile: string;
  kernelsFile: string;
  /** Runs a worker as a process: `node main.js <config as JSON>`. */
  mainFile: string;
  remove(): Promise<void>;
}

/** Bundles the worker as it is now into a folder of its own, from where packages can still be found. */
export async function bundleWorker(): Promise<WorkerBundle> {
  const cache = join(root, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'tabgrid-worker-'));
  await build({
    absWorkingDir: root,
    entryPoints: { main: 'test/node/helpers/worker-main.ts', thread: 'test/node/helpers/test-thread.ts' },
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  const kernelsFile = join(folder, 'kernels.wasm');
  await copyFile(join(root, 'kernels', 'build', 'kernels.wasm'), kernelsFile);
  return {
    folder,
    threadFile: join(folder, 'thread.js'),
    kernelsFile,
    mainFile: join(folder, 'main.js'),
    remove: () => rm(folder, { recursive: true }),
  };
}
