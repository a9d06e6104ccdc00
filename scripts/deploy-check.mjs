/**
 * What `wrangler deploy` would upload, made and measured without an account or a network. Fails where it does not build or is larger
 * than Cloudflare’s free plan takes: 3 MB, compressed (developers.cloudflare.com/workers/platform/limits).
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { root } from './lib/steps.mjs';

const maxCompressedBytes = 3_000_000;
const wrangler = join(root, 'node_modules', 'wrangler', 'bin', 'wrangler.js');

async function dryRun(folder) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [wrangler, 'deploy', '--dry-run', '--outdir', folder],
    {
      cwd: root,
      env: {
        ...process.env,
        WRANGLER_SEND_METRICS: 'false',
        WRANGLER_SEND_ERROR_REPORTS: 'false',
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      },
    },
  );
  return stdout;
}

/** The modules of a bundle; source maps and notes stay here. */
async function modulesOf(folder) {
  const names = (await readdir(folder)).filter((name) => /\.(js|mjs|wasm|txt|bin)$/.test(name)).sort();
  return Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })));
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

const folder = await mkdtemp(join(tmpdir(), 'tabgrid-deploy-'));
try {
  await dryRun(folder);
  const modules = (await modulesOf(folder)).map(({ name, bytes }) => ({
    name,
    bytes: bytes.length,
    compressed: gzipSync(bytes, { level: 9 }).length,
  }));
  for (const { name, bytes, compressed } of modules) {
    console.log(`${name}: ${kilobytes(bytes)}, compressed ${kilobytes(compressed)}`);
  }
  const total = modules.reduce((sum, { compressed }) => sum + compressed, 0);
  console.log(`the bundle: ${kilobytes(total)} compressed, of ${kilobytes(maxCompressedBytes)}`);
  if (modules.length === 0 || total > maxCompressedBytes) {
    console.error(modules.length === 0 ? 'wrangler made no bundle' : 'the bundle is too large');
    process.exitCode = 1;
  }
} catch (error) {
  // What a tool printed says more than the stack of the promise that held it.
  console.error(`${error.stdout ?? ''}${error.stderr ?? ''}`.trim() || error);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
