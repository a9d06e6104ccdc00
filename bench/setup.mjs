/**
 * `npm run bench:setup` installs the programs that the benchmarks compare with. They are a package of their own, so that the project's
 * lockfile does not depend on them.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const peers = fileURLToPath(new URL('peers', import.meta.url));
execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-save'], { cwd: peers, stdio: 'inherit' });
