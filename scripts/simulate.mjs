/**
 * `npm run simulate -- [--schedules 10000] [--from-seed 1]`: more schedules of the broker’s simulation than the suite runs.
 * `npm run simulate -- --seed 42 [--trace]`: one of them again, with what happens in it.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { root } from './lib/steps.mjs';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '10000' },
    'from-seed': { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});

function wholeNumber(name) {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 1) return number;
  console.error(`--${name}: expected a whole number from 1 on, got ${values[name]}`);
  process.exit(2);
}

const asked =
  values.seed === undefined
    ? { seed: wholeNumber('from-seed'), schedules: wholeNumber('schedules'), trace: values.trace }
    : { seed: wholeNumber('seed'), schedules: 1, trace: values.trace };

const vitest = ['vitest', 'run', '--project', 'edge', 'test/edge/simulation.test.ts', '--testTimeout', '0'];
const { status } = spawnSync('npx', vitest, {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, TABGRID_SIMULATION: JSON.stringify(asked) },
});
process.exitCode = status ?? 1;
