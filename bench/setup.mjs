/**
 * `npm run bench:setup` installs the programs that the benchmarks compare with. They are a package of their own, so that the project's
 * lockfile does not depend on them. What cannot be had here is said, and later listed in each line's `missing`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const peers = fileURLToPath(new URL('peers', import.meta.url));
const systemPython = '/usr/bin/python3';
const python = process.env.TABGRID_PYTHON ?? (existsSync(systemPython) ? systemPython : 'python3');
const pythonPath = [process.env.PYTHONPATH, `${peers}/python`].filter(Boolean).join(':');
const numericPackages = ['python3-numpy', 'python3-sklearn', 'python3-torch', 'libopenblas0-pthread'];
const queuePackages = ['python3-celery', 'python3-redis', 'redis-server'];

function succeeds(command, args, options = {}) {
  try {
    execFileSync(command, args, { stdio: 'ignore', ...options });
    return true;
  } catch {
    return false;
  }
}

const imports = (modules) =>
  succeeds(python, ['-c', `import ${modules}`], { cwd: peers, env: { ...process.env, PYTHONPATH: pythonPath } });

execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-save'], { cwd: peers, stdio: 'inherit' });

/** Debian’s packages, or a line that says what to install elsewhere. */
function installPackages(packages, what) {
  const isDebianRoot = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
  if (!isDebianRoot || !succeeds('apt-get', install, { env })) {
    console.log(`bench: for ${what}, install ${packages.join(' ')} (or their like for ${python})`);
  }
}

if (!imports('numpy, sklearn, torch')) installPackages(numericPackages, 'scikit-learn and torch');
if (!imports('celery, redis') || !succeeds('redis-server', ['--version']))
  installPackages(queuePackages, 'Celery and BullMQ');

// Debian has no pycma; a checkout of it on PYTHONPATH serves as well.
if (
  !imports('cma') &&
  !succeeds(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', `${peers}/python`, 'cma'])
) {
  console.log('bench: for pycma, put a checkout of https://github.com/CMA-ES/pycma on PYTHONPATH');
}
