import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { edgePid, freshFolder, quickLeases, run, start } from './helpers/processes.ts';
import { isAlive, untilGone } from './helpers/wait.ts';

/** The worker that belongs to a `start`: the child that is not the edge. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').map(Number);
}

describe('tabgrid start', () => {
  it('runs both campaigns, shows what they found, and ends; then again on the same state, until it is interrupted', async () => {
    const state = join(await freshFolder(), 'state');
    const first = await run(['start', '--once', '--port', '0', '--state', state]);
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(/Lend it a browser tab.*#invite=/s);
    expect(first.stdout).toMatch(/crossed barrel, replayed: 100 %/);
    expect(first.stdout).toMatch(/crossed barrel, replayed: success.*best design.*toughness .* of all 600 designs/s);
    expect(first.stdout).toMatch(/crossed barrel, continuous: success.*hypervolume/s);
    expect(first.stdout).toMatch(/Who computed it\n {2}node@.* \d+ %/);

    const second = start(['start', '--port', '0', '--state', state]);
    await second.printed(/replayed: [1-9]\d* %/);
    const children = await childrenOf(second.child.pid ?? 0);
    expect(children).toContain(await edgePid(state));
    const { status, stdout } = await second.stop('SIGINT');
    expect(status).toBe(130);
    expect(stdout).toContain('Stopping.');
    expect(children.filter(isAlive)).toEqual([]);
  });

  it('takes its worker and its edge with it when it is killed', async () => {
    const state = join(await freshFolder(), 'state');
    const running = start(['start', '--port', '0', '--state', state]);
    await running.printed(/replayed: [1-9]\d* %/);
    const children = await childrenOf(running.child.pid ?? 0);
    await running.stop('SIGKILL');
    await Promise.all(children.map(untilGone));
  });

  it('starts its worker again when that one dies', async () => {
    const state = join(await freshFolder(), 'state');
    const running = start(['start', '--port', '0', '--state', state], quickLeases);
    await running.printed(/replayed: [1-9]\d* %/);
    const edge = await edgePid(state);
    const workers = await Promise.all(
      (await childrenOf(running.child.pid ?? 0)).map(async (pid) => {
        const command = await readFile(`/proc/${pid}/cmdline`, 'utf8');
        return pid !== edge && command.includes('worker') ? [pid] : [];
      }),
    );
    for (const pid of workers.flat()) process.kill(pid, 'SIGKILL');
    await running.printed(/the worker ended \(signal SIGKILL\); starting it again/);
    await running.printed(/starting it again[^]*replayed: [2-9]\d %/);
    await running.stop('SIGTERM');
  });

  it('says so when the port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const refused = await run(['start', '--once', '--port', String(port), '--state', await freshFolder()]);
    other.close();
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('is taken by another program');
  });
});
