import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { guardProcess } from '../../client/cli/lib/guard.ts';
import type { Edge } from './edge.ts';

const root = new URL('../../', import.meta.url);
const tabgrid = fileURLToPath(new URL('bin/tabgrid.js', root));
/** `ping` that answers when it was called, which only the worker knows. */
const stampingTasks = fileURLToPath(new URL('bench/broker/stamping-tasks.mjs', root));

/** A worker process. */
export interface WorkerProcess {
  /** For the benchmark’s output. */
  readonly label: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface WorkerSize {
  readonly concurrency: number;
  readonly prefetch: number;
}

/** `threads` is what Celery’s children are like, `solo` what BullMQ’s worker is. */
export type Pool = 'threads' | 'solo';

/** `tabgrid worker`. @param stamps its `ping` tells when it began, in ns of the machine’s monotonic clock */
export async function startWorker(edge: Edge, pool: Pool, size: WorkerSize, stamps = false): Promise<WorkerProcess> {
  const { concurrency, prefetch } = size;
  const options = ['--pool', pool, '--concurrency', String(concurrency), '--prefetch', String(prefetch)];
  const tasks = stamps ? ['--tasks', stampingTasks] : [];
  const child = spawn(process.execPath, [tabgrid, 'worker', '--url', edge.url, '--quiet', ...options, ...tasks], {
    env: { ...process.env, TABGRID_TOKEN: edge.token },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return running(edge, child, `tabgrid worker ${options.join(' ')}`, 1);
}

/** Many sessions of the worker’s own code in one process, which computes itself, too. */
export async function startSessions(edge: Edge, sessions: number, size: WorkerSize): Promise<WorkerProcess> {
  const program = fileURLToPath(new URL('sessions.process.mjs', import.meta.url));
  const settings = { url: edge.url, sessions, ...size };
  const child = spawn(process.execPath, [program, JSON.stringify(settings)], {
    env: { ...process.env, TABGRID_TOKEN: edge.token },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const { concurrency, prefetch } = size;
  const label = `${sessions} × WorkerSession in one process, concurrency ${concurrency}, prefetch ${prefetch}`;
  return running(edge, child, label, sessions);
}

async function running(edge: Edge, child: ChildProcess, label: string, sessions: number): Promise<WorkerProcess> {
  const unguard = guardProcess(child.pid ?? 0);
  await untilOnline(edge, child, sessions);
  return {
    label,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      unguard();
      await untilOnline(edge, null, 0);
    },
  };
}

/** There is never more than one worker process at a time, so that the number tells. */
async function untilOnline(edge: Edge, child: ChildProcess | null, count: number): Promise<void> {
  for (;;) {
    const workers = await edge.grid.workers();
    if (workers.filter(({ state }) => state === 'online').length === count) return;
    if (child !== null && (child.exitCode !== null || child.signalCode !== null)) {
      throw new Error('a worker ended before it was online');
    }
    await sleep(20);
  }
}
