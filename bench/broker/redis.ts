import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { guardProcess } from '../../client/cli/lib/guard.ts';

/** A Redis of the benchmark’s own. */
export interface Redis {
  /** Its Unix socket: the quickest way to it. */
  readonly socket: string;
  /** Version and durability, for the name of a peer. */
  readonly label: string;
  stop(): Promise<void>;
}

/** @param durable writes and syncs its log before it answers. @returns the server, or in one line why there is none */
export async function startRedis(durable: boolean): Promise<Redis | string> {
  const folder = await mkdtemp(join(tmpdir(), 'tabgrid-redis-'));
  const socket = join(folder, 'socket');
  const durability = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const child = spawn('redis-server', [
    ...['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', ''],
    ...durability,
  ]);
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const failure = once(child, 'error').then(([error]) => (error as Error).message);
  const version = await Promise.race([failure.then(() => null), versionOnceReady(child.stdout)]);
  if (version === null) {
    await remove();
    return child.pid === undefined ? await failure : 'redis-server ended at once';
  }
  const unguard = guardProcess(child.pid ?? 0);
  return {
    socket,
    label: `Redis ${version}, ${durable ? 'appendfsync always' : 'no AOF'}`,
    stop: async () => {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      unguard();
      await remove();
    },
  };
}

/** @returns the version once it takes connections; null when it ends before. */
async function versionOnceReady(output: NodeJS.ReadableStream): Promise<string | null> {
  let version = '';
  for await (const line of createInterface({ input: output })) {
    version = /Redis version=([\d.]+)/.exec(line)?.[1] ?? version;
    if (!/ready to accept connections/i.test(line)) continue;
    output.resume();
    return version;
  }
  return null;
}
