/**
 * `npm run bench -- <name> [--quick] [--only <case>]` bundles `bench/<name>/main.ts` and prints what its `run({ quick, only })` yields: one JSON
 * object a line, `{bench, case, unit, ours, peers, ratio}`. `ratio` is against the best peer, above 1 when we are ahead. `--only` takes how the
 * names of the wanted cases begin. Files beside it that are named `*.process.ts` are bundled too, as `*.process.mjs`: programs of its own.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const names = ['broker', 'kernels', 'gpu', 'campaign', 'volunteer'];
const root = fileURLToPath(new URL('..', import.meta.url));
const sourceOf = (name) => join(root, 'bench', name, 'main.ts');

function usage() {
  const there = names.filter((known) => existsSync(sourceOf(known)));
  console.error(`usage: npm run bench -- ${there.join('|')} [--quick] [--only <case>]`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
    });
  } catch {
    return usage();
  }
}

const {
  values: { quick, only },
  positionals: [name = '', ...rest],
} = readArguments();
if (!names.includes(name) || !existsSync(sourceOf(name)) || rest.length > 0) usage();

// Standard output is for results.
execFileSync(process.execPath, [join(root, 'scripts', 'build-kernels.mjs')], { cwd: root, stdio: ['ignore', 2, 2] });

// As deep below the root as its source, so that what it finds by its own address it finds here too.
const folder = join(root, 'dist', `bench-${name}.${process.pid}`);
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const programs = readdirSync(join(root, 'bench', name)).filter((file) => /^main\.ts$|\.process\.ts$/.test(file));
await build({
  absWorkingDir: root,
  entryPoints: programs.map((file) => join(root, 'bench', name, file)),
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
for await (const line of run({ quick, only })) console.log(JSON.stringify(line));
