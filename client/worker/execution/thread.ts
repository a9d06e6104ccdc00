import type { GpuOpening } from '#kernels/gpu';
import type { Assignment, Progress, Snapshot } from '#protocol';
import { isErrorCode, TabgridError, type ErrorCode } from '#protocol';
import type { Clock } from '../lib/clock.ts';
import type { RecordsPart } from '../files/records.ts';
import type { FileAccess, TaskBodies } from '../tasks/body.ts';
import { Attempt, type AttemptReport, type AttemptSettings } from './attempt.ts';
import { attemptKey } from './executor.ts';

/** An error’s code does not survive the way between threads, so answers are values. */
export type Reply<T> = { ok: T } | { error: { code: ErrorCode; message: string } };

/** What a thread asks of its host. `key` names the attempt, because messages of an ended one may still arrive. */
export interface ThreadHooks {
  progress(key: string, progress: Progress): void;
  snapshot(key: string, snapshot: Snapshot): void;
  readFile(key: string, path: string): Promise<Reply<Uint8Array>>;
  readRecords(key: string, path: string, part: RecordsPart): Promise<Reply<Uint8Array>>;
  writeFile(
    key: string,
    path: string,
    bytes: Uint8Array,
    contentType: string,
  ): Promise<Reply<{ path: string; sha256: string }>>;
}

/** The hooks as a thread sees them, through comlink. */
export type RemoteHooks = {
  [Name in keyof ThreadHooks]: (
    ...args: Parameters<ThreadHooks[Name]>
  ) => Promise<Awaited<ReturnType<ThreadHooks[Name]>>>;
};

export interface ThreadSettings {
  kernels: WebAssembly.Module;
  kernelDigest: string;
  workerName: string;
  /** A module with further bodies, exported as `bodies`; null for none. */
  extraBodies: string | null;
}

/** What the host learns after a run. */
export interface ThreadReport {
  /** In the order of the assignments. */
  attempts: AttemptReport[];
  /** Memory that the thread holds; null where it cannot tell, or was not asked. */
  memoryBytes: number | null;
}

export interface ThreadParts {
  bodies: TaskBodies;
  clock: Clock;
  pause: () => Promise<void>;
  memoryBytes?: () => number;
  /** Absent where tasks have no GPU. */
  gpu?: () => Promise<GpuOpening>;
}

/** The inside of a compute thread, a Web Worker or a worker thread, or the host’s own: computes one attempt after another for its host. */
export class ComputeThread {
  readonly #parts: ThreadParts;
  #host: { hooks: RemoteHooks; settings: AttemptSettings } | null = null;
  #current: { key: string; attempt: Attempt } | null = null;
  /** Of the attempts that it was given; some may not have begun. */
  readonly #aborted = new Set<string>();

  constructor(parts: ThreadParts) {
    this.#parts = parts;
  }

  async init(hooks: RemoteHooks, { extraBodies, ...settings }: ThreadSettings): Promise<void> {
    const { clock, pause, gpu } = this.#parts;
    const bodies = { ...this.#parts.bodies, ...(extraBodies === null ? {} : await bodiesIn(extraBodies)) };
    this.#host = { hooks, settings: { ...settings, bodies, clock, pause, ...(gpu ? { gpu } : {}) } };
  }

  /** @param batch assignments as JSON, which threads copy faster than objects */
  run(batch: string, tellsMemory: boolean): Promise<ThreadReport> {
    return this.compute(JSON.parse(batch) as Assignment[], tellsMemory);
  }

  /** Computes attempts one after the other. @param tellsMemory to look takes as long as a brief task */
  async compute(assignments: readonly Assignment[], tellsMemory: boolean): Promise<ThreadReport> {
    const attempts: AttemptReport[] = [];
    for (const assignment of assignments) attempts.push(await this.#runOne(assignment));
    this.#aborted.clear();
    return { attempts, memoryBytes: tellsMemory ? (this.#parts.memoryBytes?.() ?? null) : null };
  }

  /** Of the attempt under way; one whose turn has yet to come has nothing to go on from. */
  askSnapshot(key: string): void {
    if (this.#current?.key === key) this.#current.attempt.askSnapshot();
  }

  /** Stops an attempt, which may be under way or to come. */
  abort(key: string): void {
    this.#aborted.add(key);
    if (this.#current?.key === key) this.#current.attempt.abort();
  }

  async #runOne(assignment: Assignment): Promise<AttemptReport> {
    if (!this.#host) throw new Error('The thread was not initialised.');
    const { hooks, settings } = this.#host;
    const key = attemptKey(assignment);
    if (this.#aborted.has(key)) return { outcome: { type: 'revoked' }, runtimeMs: 0 };
    /** The last of what was told. */
    let handedOver: Promise<void> = toldNothing;
    const attempt = new Attempt(assignment, settings, {
      files: remoteFiles(hooks, key),
      onProgress: (progress) => {
        handedOver = hooks.progress(key, progress);
      },
      onSnapshot: (snapshot) => {
        handedOver = hooks.snapshot(key, snapshot);
      },
    });
    this.#current = { key, attempt };
    const report = await attempt.run();
    // What was told goes another way than the report, which makes the host forget the attempt.
    await handedOver;
    this.#current = null;
    return report;
  }
}

const toldNothing = Promise.resolve();

async function bodiesIn(file: string): Promise<TaskBodies> {
  const { bodies } = (await import(/* @vite-ignore */ file)) as { bodies?: TaskBodies };
  if (!bodies) throw new Error(`${file}: expected an export named bodies`);
  return bodies;
}

function remoteFiles(hooks: RemoteHooks, key: string): FileAccess {
  return {
    read: async (path) => unwrap(await hooks.readFile(key, path)),
    records: async (path, part) => unwrap(await hooks.readRecords(key, path, part)),
    write: async (path, bytes, contentType) => unwrap(await hooks.writeFile(key, path, bytes, contentType)),
  };
}

function unwrap<T>(reply: Reply<T>): T {
  if ('ok' in reply) return reply.ok;
  throw new TabgridError(reply.error.code, reply.error.message);
}

/** Runs `work` and answers with a value, whatever happens. */
export async function replyOf<T>(work: () => Promise<T>): Promise<Reply<T>> {
  try {
    return { ok: await work() };
  } catch (error) {
    const code = error instanceof TabgridError && isErrorCode(error.code) ? error.code : 'task_failed';
    return { error: { code, message: error instanceof Error ? error.message : String(error) } };
  }
}
