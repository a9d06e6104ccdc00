import type { ChildProcess } from 'node:child_process';
import { guardProcess } from './guard.ts';
import type { SupervisedProcess } from './supervisor.ts';

/** A child process that dies with this one, however this one dies. */
export function superviseChild(child: ChildProcess): SupervisedProcess {
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit status ${code}` : `signal ${signal}`));
  });
  const { pid } = child;
  if (pid !== undefined) void ended.then(guardProcess(pid));
  return {
    pid: pid ?? 0,
    ended,
    stop: async (graceMs) => {
      child.kill('SIGTERM');
      const insist = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(insist);
    },
  };
}
