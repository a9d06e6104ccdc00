/** `npm run conformance [-- --update]`: computes the digests of all cases; see kernels/README.md. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const flags = process.argv.slice(2);
if (flags.some((flag) => flag !== '--update')) {
  console.error('usage: npm run conformance [-- --update]');
  process.exit(2);
}

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
const { run } = await import(pathToFileURL(join(folder, 'main.mjs')).href);
if (!(await run({ update: flags.includes('--update') }))) process.exitCode = 1;
