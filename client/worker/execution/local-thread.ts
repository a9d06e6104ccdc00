import type { Assignment } from '#protocol';
import { attemptKey } from './executor.ts';
import type { RunningThread } from './remote-thread.ts';
import {
  ComputeThread,
  type RemoteHooks,
  type Reply,
  type ThreadHooks,
  type ThreadParts,
  type ThreadSettings,
} from './thread.ts';

/**
 * A `ComputeThread` in the host’s own thread, for a pool: no way lies between them. Bodies share one event loop with the host, so one that computes for
 * long without a pause keeps all others waiting, and nobody can end it: `terminate` tells it to stop, and hears nothing of it any more.
 */
export function startLocalThread(parts: ThreadParts, hooks: ThreadHooks, settings: ThreadSettings): RunningThread {
  const thread = new ComputeThread(parts);
  let isEnded = false;
  let given: readonly Assignment[] = [];
  const ready = thread.init(
    localHooks(hooks, () => isEnded),
    settings,
  );
  // Whoever computes waits for `ready`; one that is ended before must not leave a rejection behind.
  ready.catch(() => undefined);
  return {
    ready,
    async run(assignments, tellsMemory) {
      given = assignments;
      // Between one run and the next the host must hear its edge, and send what the last one made.
      await parts.pause();
      return thread.compute(assignments.length === 1 ? assignments : assignments.map(withOwnArguments), tellsMemory);
    },
    askSnapshot: (key) => thread.askSnapshot(key),
    abort: (key) => thread.abort(key),
    terminate() {
      isEnded = true;
      for (const assignment of given) thread.abort(attemptKey(assignment));
    },
    onFailure: () => undefined,
  };
}

/** Those that run together may each be computed again, with arguments that no body has changed. */
function withOwnArguments(assignment: Assignment): Assignment {
  const { args, kwargs } = assignment;
  return { ...assignment, ...(JSON.parse(JSON.stringify({ args, kwargs })) as Pick<Assignment, 'args' | 'kwargs'>) };
}

/**
 * Bytes are copied, as on the way between threads: files are kept for all tasks, while a body may change what it was given, and what it has handed over.
 * One that goes on after its end is not heard: the same attempt may run anew.
 */
function localHooks(hooks: ThreadHooks, isEnded: () => boolean): RemoteHooks {
  const unlessEnded = async <T>(ask: () => Promise<Reply<T>>): Promise<Reply<T>> =>
    isEnded() ? { error: { code: 'revoked', message: 'The task was stopped.' } } : ask();
  return {
    async progress(...told) {
      if (!isEnded()) hooks.progress(...told);
    },
    async snapshot(...told) {
      if (!isEnded()) hooks.snapshot(...told);
    },
    readFile: async (...asked) => copied(await unlessEnded(() => hooks.readFile(...asked))),
    readRecords: async (...asked) => copied(await unlessEnded(() => hooks.readRecords(...asked))),
    writeFile: (key, path, bytes, contentType) =>
      unlessEnded(() => hooks.writeFile(key, path, bytes.slice(), contentType)),
  };
}

function copied(reply: Reply<Uint8Array>): Reply<Uint8Array> {
  return 'ok' in reply ? { ok: reply.ok.slice() } : reply;
}
