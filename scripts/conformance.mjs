/**
 * `npm run conformance [-- --engine node,chromium,…] [--update]` computes the digests of all cases on these engines (all but
 * ARM), and once more in a relay through them; see docs/determinism.md.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
execFileSync(process.execPath, [join(root, 'scripts', 'build-kernels.mjs')], { cwd: root, stdio: 'inherit' });

// As deep below the root as its source, so that what it finds by its own address it finds here too.
const folder = join(root, 'dist', `conformance.${process.pid}`);
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
await build({
  absWorkingDir: root,
  entryPoints: { main: join(root, 'test', 'conformance', 'main.ts') },
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const { everyEngine, run, usualEngines } = await import(pathToFileURL(join(folder, 'main.mjs')).href);
const { names, update } = options(process.argv.slice(2));
try {
  if (!(await run({ names: names ?? (update ? ['node'] : usualEngines), update }))) process.exitCode = 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

function options(words) {
  const found = { update: false };
  for (let i = 0; i < words.length; i++) {
    if (words[i] === '--update') found.update = true;
    else if (words[i] === '--engine') found.names = words[++i]?.split(',') ?? [''];
    else usage();
  }
  if (found.names?.some((name) => !everyEngine.includes(name))) usage();
  return found;
}

function usage() {
  console.error(`usage: npm run conformance [-- --engine ${everyEngine.join(',')}] [--update]`);
  process.exit(2);
}
