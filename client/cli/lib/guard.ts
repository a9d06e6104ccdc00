import { spawn } from 'node:child_process';

/**
 * Ends process `pid` when this process dies, however it dies: a shell waits on a pipe that only this process holds open, and the end of
 * the pipe is the sign. Handlers cannot do that, because nothing of a process runs after `kill -9`.
 * @returns takes the guard away.
 */
export function guardProcess(pid: number): () => void {
  const guard = spawn('/bin/sh', ['-c', 'read -r word; [ "$word" = done ] || kill -9 "$0" 2>/dev/null', String(pid)], {
    // A group of its own, so that Ctrl-C in a terminal does not reach it.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // A guard that cannot start or ends early is no fault of what it guards: the lock file still names the process.
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  return () => guard.stdin.end('done\n');
}
