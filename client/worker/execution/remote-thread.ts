import * as comlink from 'comlink';
import type { Assignment } from '#protocol';
import type { ComputeThread, RemoteHooks, ThreadHooks, ThreadReport, ThreadSettings } from './thread.ts';

/** A thread of the runtime: a Web Worker, or a worker thread of Node behind comlink’s adapter. */
export interface Thread {
  endpoint: comlink.Endpoint;
  /** Ends it at once, whatever it computes. */
  terminate(): void;
  /** Called when it ends by itself: it crashed, or ran out of memory. */
  onFailure(listener: (message: string) => void): void;
}

/** A thread with its `ComputeThread` behind it. */
export interface RunningThread {
  /** Rejects when the thread cannot be used. */
  readonly ready: Promise<void>;
  /**
   * Computes them one after the other.
   * @param tellsMemory whether to look how much the thread holds
   * @returns what became of them, once the last one is over.
   */
  run(assignments: readonly Assignment[], tellsMemory: boolean): Promise<ThreadReport>;
  /** @param key of the attempt, as `attemptKey` names it. */
  askSnapshot(key: string): void;
  abort(key: string): void;
  /** Nothing is told of its attempts any more. */
  terminate(): void;
  onFailure(listener: (message: string) => void): void;
}

/** The host’s end: messages to a thread that was ended stay unanswered, so whoever ends it must not wait for them. */
export function startThread(thread: Thread, hooks: ThreadHooks, settings: ThreadSettings): RunningThread {
  const remote = comlink.wrap<ComputeThread>(thread.endpoint);
  const ready = remote.init(comlink.proxy(hooks) as unknown as RemoteHooks, settings);
  // Whoever computes waits for `ready`; a thread that is ended before must not leave a rejection behind.
  ready.catch(() => undefined);
  return {
    ready,
    run: (assignments, tellsMemory) => remote.run(JSON.stringify(assignments), tellsMemory),
    askSnapshot: (key) => void remote.askSnapshot(key),
    abort: (key) => void remote.abort(key),
    terminate: () => thread.terminate(),
    onFailure: (listener) => thread.onFailure(listener),
  };
}

/** The thread’s end: serves `thread` to the host behind `endpoint`. */
export function serveThread(thread: ComputeThread, endpoint: comlink.Endpoint): void {
  comlink.expose(thread, endpoint);
}
