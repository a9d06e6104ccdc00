/**
 * `npm run bench -- <name> [--quick] [--only <case>] [--seed <n>]` bundles `bench/<name>/main.ts` and prints what its `run({ quick, only, seed })`
 * yields: one JSON object a line, `{bench, case, unit, ours, peers, ratio}`. `ratio` is against the best peer, above 1 when we are ahead. `--only`
 * takes how the names of the wanted cases begin; `--seed` is for what happens by chance. Files beside it that are named `*.process.ts` are bundled too, as `*.process.mjs`: programs of its own.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { importTypeScript } from '../scripts/lib/import-typescript.mjs';
import { root } from '../scripts/lib/steps.mjs';

const names = ['broker', 'faults', 'kernels', 'gpu', 'campaign', 'volunteer'];
const sourceOf = (name) => join(root, 'bench', name, 'main.ts');

function usage() {
  const there = names.filter((known) => existsSync(sourceOf(known)));
  console.error(`usage: npm run bench -- ${there.join('|')} [--quick] [--only <case>] [--seed <n>]`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        seed: { type: 'string', default: '1' },
      },
    });
  } catch {
    return usage();
  }
}

const {
  values: { quick, only, seed },
  positionals: [name = '', ...rest],
} = readArguments();
if (!names.includes(name) || !existsSync(sourceOf(name)) || !/^\d{1,9}$/.test(seed) || rest.length > 0) usage();

// The broker is measured as it is deployed. Standard output is for results.
const build = ['broker', 'faults'].includes(name) ? ['build.mjs', '--quiet'] : ['build-kernels.mjs'];
execFileSync(process.execPath, [join(root, 'scripts', build[0]), ...build.slice(1)], {
  cwd: root,
  stdio: ['ignore', 2, 2],
});

const folder = join('bench', name);
const processes = readdirSync(join(root, folder)).filter((file) => file.endsWith('.process.ts'));
const { run } = await importTypeScript(`bench-${name}`, folder, processes);
for await (const line of run({ quick, only, seed: Number(seed) })) console.log(JSON.stringify(line));
