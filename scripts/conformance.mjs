/**
 * `npm run conformance [-- --engine node,chromium,…] [--update]` computes the digests of all cases on these engines (all but
 * ARM), and once more in a relay through them; see docs/determinism.md.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { importTypeScript } from './lib/import-typescript.mjs';
import { root } from './lib/steps.mjs';

execFileSync(process.execPath, [join(root, 'scripts', 'build-kernels.mjs')], { cwd: root, stdio: 'inherit' });

const { everyEngine, run, usualEngines } = await importTypeScript('conformance', 'test/conformance');
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
