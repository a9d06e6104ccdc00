import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { superviseChild } from '../lib/child.ts';
import { Supervisor, type SupervisedProcess } from '../lib/supervisor.ts';
import { openLog, workerLogPath } from '../serve/edge-log.ts';
import { built } from '../serve/manifest.ts';
import type { Served } from '../serve/serve.ts';

/** A Node worker for this edge in a process of its own, kept running: what its kernels do to it, the edge does not feel. */
export function superviseWorker(served: Served, onNotice: (message: string) => void): Supervisor<SupervisedProcess> {
  return new Supervisor({
    name: 'worker',
    spawn: () => spawnWorker(served),
    ready: () => Promise.resolve(),
    onProcess: () => Promise.resolve(),
    onNotice,
  });
}

async function spawnWorker({ url, token, state }: Served): Promise<SupervisedProcess> {
  const log = await openLog(workerLogPath(state));
  try {
    const child = spawn(process.execPath, [join(built.node, 'cli.js'), 'worker', '--quiet', '--url', url], {
      // A group of its own, so that Ctrl-C reaches it through its supervisor; a token in the arguments would show in the process list.
      detached: true,
      env: { ...process.env, TABGRID_TOKEN: token },
      stdio: ['ignore', log.fd, log.fd],
    });
    const supervised = superviseChild(child);
    return {
      ...supervised,
      stop: async (graceMs) => {
        // The first signal lets it finish what is at hand, the second gives that back.
        const hurry = setTimeout(() => child.kill('SIGTERM'), graceMs / 2);
        await supervised.stop(graceMs);
        clearTimeout(hurry);
      },
    };
  } finally {
    await log.close();
  }
}
