import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('nothing is lost, doubled or left behind while workerd, workers and connections are killed', async () => {
  const args = ['bench/run.mjs', 'faults', '--quick'];
  // It ends with status 1, and tells what was violated, when something was.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root });
  const line = JSON.parse(stdout) as Record<string, number>;
  expect(line, stderr).toMatchObject({ case: 'violations', ours: 0, workerd_killed: 4, workflows: 16, campaigns: 1 });
  expect(line.tasks).toBeGreaterThanOrEqual(1_000);
});
