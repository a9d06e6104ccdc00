/**
 * `npm run check`: formatting, types and lint side by side, each with its output in one piece. Fails when one of them does.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { root } from './lib/steps.mjs';

async function runScript(name) {
  const child = spawn('npm', ['run', '--silent', name], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (output += text));
  const [status] = await once(child, 'close');
  if (output !== '') process.stdout.write(output);
  if (status !== 0) console.error(`check: ${name} failed`);
  return status === 0;
}

const passed = await Promise.all(['format:check', 'typecheck', 'lint'].map(runScript));
process.exitCode = passed.every(Boolean) ? 0 : 1;
