import { fork, type ChildProcess } from 'node:child_process';
import * as comlink from 'comlink';
import type { RunningThread, ThreadHooks } from '../../client/worker/index.ts';
import { channelOf } from './channel.ts';
import { gpuEnvironment } from './environment.ts';
import type { GpuFinding, GpuService, ProcessSettings } from './service.ts';

/**
 * A process that computes like a thread, and has a GPU. A thread would not do: when one is ended with a read-back under way, Dawn
 * aborts the whole process, and so may a driver at any time. This one can be killed at any moment, and only its task fails.
 *
 * @param file The built `gpu-process.js`.
 */
export function startGpuProcess(file: string, settings: ProcessSettings, hooks: ThreadHooks): RunningThread {
  const { child, remote } = startProcess(file);
  comlink.expose(hooks, channelOf(child, 'hooks'));
  const ready = remote.init(settings);
  // As with threads: a process that is ended before must not leave a rejection behind.
  ready.catch(() => undefined);
  return {
    ready,
    run: (assignments, tellsMemory) => remote.run(JSON.stringify(assignments), tellsMemory),
    askSnapshot: (key) => void remote.askSnapshot(key),
    abort: (key) => void remote.abort(key),
    terminate: () => void child.kill('SIGKILL'),
    onFailure: (listener) => onEnd(child, listener),
  };
}

/** Opens the GPU in a process of its own, tells what it found, and ends it. Never rejects. */
export async function findGpu(file: string): Promise<GpuFinding> {
  const { child, remote } = startProcess(file);
  const ended = new Promise<GpuFinding>((resolve) => {
    onEnd(child, (how) => resolve({ type: 'absent', reason: `The process that opens the GPU ended: ${how}` }));
  });
  try {
    return await Promise.race([remote.find(), ended]);
  } catch (error) {
    return { type: 'absent', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    child.kill('SIGKILL');
  }
}

function startProcess(file: string): { child: ChildProcess; remote: comlink.Remote<GpuService> } {
  const child = fork(file, [], {
    execArgv: [],
    env: gpuEnvironment(process.env),
    serialization: 'advanced',
    // Standard output is the worker’s own; drivers like to print there.
    stdio: ['ignore', process.stderr.fd, process.stderr.fd, 'ipc'],
  });
  return { child, remote: comlink.wrap<GpuService>(channelOf(child, 'thread')) };
}

/** After `terminate` too, when nobody minds any more. */
function onEnd(child: ChildProcess, listener: (message: string) => void): void {
  child.once('error', (error) => listener(error.message));
  child.once('exit', (code, signal) => listener(signal ?? `exit code ${code}`));
}
