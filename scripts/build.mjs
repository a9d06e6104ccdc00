/**
 * Builds all that `tabgrid` runs from: kernels, pages, the edge bundle, the Node bundle. Each step is skipped while its inputs are
 * unchanged. `--quiet` prints nothing but faults.
 *
 * The edge bundle is made by wrangler from wrangler.toml, so that one's own machine runs the code that is deployed.
 */
import { execFile } from 'node:child_process';
import { copyFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { replaceFolder, root, runStep } from './lib/steps.mjs';

const quiet = process.argv.includes('--quiet');
const execute = promisify(execFile);

async function runScript(name) {
  const { stdout, stderr } = await execute(process.execPath, [join(root, 'scripts', name)], { cwd: root });
  if (quiet) return;
  process.stdout.write(stdout);
  process.stderr.write(stderr);
}

async function step({ label, ...definition }) {
  const begun = performance.now();
  const made = await runStep(definition);
  if (made && !quiet) console.log(`${label} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
}

/** Wrangler's dry run writes the bundle that a deployment would upload; nothing leaves the machine. */
function buildEdge() {
  const wrangler = join(root, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
  return replaceFolder('dist/edge', async (folder) => {
    await execute(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', folder], {
      cwd: root,
      env: {
        ...process.env,
        WRANGLER_SEND_METRICS: 'false',
        WRANGLER_SEND_ERROR_REPORTS: 'false',
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      },
    });
    await rm(join(folder, 'README.md'));
    await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(await edgeManifest(folder), null, 2)}\n`);
  });
}

/** What `tabgrid serve` must know to run the bundle: wrangler.toml's own words, read by wrangler. */
async function edgeManifest(folder) {
  const { unstable_readConfig: readConfig } = await import('wrangler');
  const config = readConfig({ config: join(root, 'wrangler.toml') }, { hideWarnings: true });
  return {
    compatibility_date: config.compatibility_date,
    compatibility_flags: config.compatibility_flags,
    main: 'index.js',
    modules: (await readdir(folder)).filter((name) => /\.(js|wasm)$/.test(name)).sort(),
    durable_objects: config.durable_objects.bindings.map((binding) => ({
      binding: binding.name,
      class_name: binding.class_name,
    })),
  };
}

function buildNode() {
  return replaceFolder('dist/node', async (folder) => {
    const { build } = await import('esbuild');
    const shared = { absWorkingDir: root, outdir: folder, bundle: true, format: 'esm', logLevel: 'warning' };
    await build({
      ...shared,
      entryPoints: {
        cli: 'client/cli/main.ts',
        sdk: 'client/sdk/index.ts',
        worker: 'node-worker/index.ts',
        thread: 'node-worker/thread.ts',
        'gpu-process': 'node-worker/gpu-process/main.ts',
      },
      platform: 'node',
      target: 'node20',
      packages: 'external',
      splitting: true,
      chunkNames: 'chunk-[hash]',
      sourcemap: true,
    });
    await build({ ...shared, entryPoints: { assets: 'client/cli/serve/assets/worker.ts' }, platform: 'neutral' });
    await copyFile(join(root, 'kernels', 'build', 'kernels.wasm'), join(folder, 'kernels.wasm'));
  });
}

try {
  await runScript('build-kernels.mjs');
  await runScript('build-pages.mjs');
  await step({
    label: 'dist/edge: built',
    name: 'edge',
    inputs: ['edge', 'kernels', 'wrangler.toml', 'package.json', 'scripts/build.mjs'],
    output: 'dist/edge/manifest.json',
    make: buildEdge,
  });
  await step({
    label: 'dist/node: built',
    name: 'node',
    inputs: [
      'client/cli',
      'client/sdk',
      'client/worker',
      'node-worker',
      'edge',
      'kernels',
      'package.json',
      'scripts/build.mjs',
    ],
    output: 'dist/node/cli.js',
    make: buildNode,
  });
} catch (error) {
  // What a tool printed says more than the stack of the promise that held it.
  console.error(`${error.stdout ?? ''}${error.stderr ?? ''}`.trim() || error);
  process.exitCode = 1;
}
