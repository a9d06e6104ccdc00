import { findTaskType, gpuQueue, parseArguments, type TaskName } from '#catalog';
import type { GpuOpening } from '#kernels/gpu';
import { decodeBase64, encodeBase64 } from '#kernels/runtime';
import {
  limits,
  TabgridError,
  type Assignment,
  type JsonObject,
  type Outcome,
  type Progress,
  type Snapshot,
} from '#protocol';
import type { Clock } from '../lib/clock.ts';
import { LazyAbortController } from '../lib/lazy-abort.ts';
import type { EvaluatorHost, FileAccess, TaskBodies, TaskBody, TaskContext } from '../tasks/body.ts';
import { failureOf, successOf } from './failure.ts';
import { withSignals } from './lazy-signals.ts';
import { ProgressThrottle } from './progress.ts';
import { SoftLimit } from './soft-limit.ts';

/** What is the same for every attempt of a thread. */
export interface AttemptSettings {
  bodies: TaskBodies;
  kernels: WebAssembly.Module;
  kernelDigest: string;
  workerName: string;
  clock: Clock;
  /** Lets messages in: resolves in a later turn of the event loop. */
  pause: () => Promise<void>;
  /** Absent where tasks have no GPU. */
  gpu?: () => Promise<GpuOpening>;
}

/** What belongs to one attempt. */
export interface AttemptHooks {
  files: FileAccess;
  evaluators?: EvaluatorHost;
  onProgress(progress: Progress): void;
  onSnapshot(snapshot: Snapshot): void;
}

export interface AttemptReport {
  outcome: Outcome;
  runtimeMs: number;
}

/** How long a body may compute between two looks at its messages. */
const pauseEveryMs = 12;
const progressIntervalMs = 250;

const noGpu: GpuOpening = { type: 'absent', reason: 'This worker computes without a GPU.' };

/** One attempt of one task: its body, its limits, its snapshots. The hard limit is the host’s, who can end the thread. */
export class Attempt {
  readonly #assignment: Assignment;
  readonly #settings: AttemptSettings;
  readonly #hooks: AttemptHooks;
  readonly #stop = new LazyAbortController();
  #snapshotWanted = false;
  /** Made, and told at the next step: a body that has no next step is done, and better reported than handed over. */
  #madeSnapshot: Snapshot | null = null;

  constructor(assignment: Assignment, settings: AttemptSettings, hooks: AttemptHooks) {
    this.#assignment = assignment;
    this.#settings = settings;
    this.#hooks = hooks;
  }

  /** The body delivers a snapshot at its next step. */
  askSnapshot(): void {
    this.#snapshotWanted = true;
  }

  /** The body ends at its next step. */
  abort(): void {
    this.#stop.abort(new TabgridError('revoked', 'The task was stopped.'));
  }

  /** Never rejects: what goes wrong is in the outcome. */
  async run(): Promise<AttemptReport> {
    const { clock } = this.#settings;
    const begunMs = clock.now();
    const progress = new ProgressThrottle(clock, progressIntervalMs, (one) => this.#hooks.onProgress(one));
    const soft = new SoftLimit(clock, this.#assignment.soft_time_limit_ms, begunMs);
    let outcome: Outcome;
    try {
      const { body, kwargs } = this.#prepare();
      outcome = successOf(await body(this.#context(progress, soft, begunMs), kwargs as never));
    } catch (error) {
      outcome = this.#stop.aborted ? { type: 'revoked' } : failureOf(error);
    } finally {
      soft.stop();
      progress.stop();
    }
    return { outcome, runtimeMs: Math.max(0, clock.now() - begunMs) };
  }

  #prepare(): { body: TaskBody<TaskName>; kwargs: JsonObject } {
    const { task, args, kwargs } = this.#assignment;
    const type = findTaskType(task);
    const body = type && this.#settings.bodies[type.name as TaskName];
    if (!type || !body) throw new TabgridError('unknown_task', `This worker has no body for ${task}.`);
    // The edge may have merged positional arguments into the keywords already.
    const positional = args.some((_, at) => Object.hasOwn(kwargs, type.positional[at] ?? '')) ? [] : args;
    return { body: body, kwargs: parseArguments(type, positional, kwargs).kwargs };
  }

  #context(progress: ProgressThrottle, soft: SoftLimit, begunMs: number): TaskContext {
    const {
      bodies,
      kernels,
      kernelDigest,
      workerName,
      clock,
      pause,
      gpu = () => Promise.resolve(noGpu),
    } = this.#settings;
    const stop = this.#stop;
    let pausedAtMs = begunMs;
    const tellSnapshot = () => this.#tellSnapshot();
    const context = {
      taskId: this.#assignment.task_id,
      attempt: this.#assignment.attempt,
      workerName,
      kernels,
      kernelDigest,
      files: this.#hooks.files,
      bodies,
      progress: (one: Progress) => progress.report(one),
      snapshot: readSnapshot(this.#assignment.snapshot, kernelDigest),
      checkpoint: (make: () => Uint8Array) => this.#checkpoint(make),
      handOver: (bytes: Uint8Array) => {
        this.#madeSnapshot = this.#fitting(bytes);
        tellSnapshot();
      },
      async yield() {
        stop.throwIfAborted();
        tellSnapshot();
        if (clock.now() - pausedAtMs < pauseEveryMs) return;
        await pause();
        pausedAtMs = clock.now();
        stop.throwIfAborted();
      },
      ...(this.#hooks.evaluators ? { evaluators: this.#hooks.evaluators } : {}),
      ...(this.#assignment.queue === gpuQueue ? { gpu } : {}),
    };
    return withSignals(context, { signal: stop, softLimit: soft });
  }

  #checkpoint(make: () => Uint8Array): void {
    this.#tellSnapshot();
    if (!this.#snapshotWanted) return;
    this.#snapshotWanted = false;
    this.#madeSnapshot = this.#fitting(make());
  }

  /** One that is too large for a frame is not sent: the task would start anew elsewhere, which is correct, only slower. */
  #fitting(bytes: Uint8Array): Snapshot | null {
    if (bytes.length > limits.maxSnapshotBytes) return null;
    return { kernel_digest: this.#settings.kernelDigest, data: encodeBase64(bytes) };
  }

  #tellSnapshot(): void {
    if (this.#madeSnapshot) this.#hooks.onSnapshot(this.#madeSnapshot);
    this.#madeSnapshot = null;
  }
}

/** Bytes to go on from, unless other kernels wrote them: those would give other bits. */
function readSnapshot(snapshot: Snapshot | null, kernelDigest: string): Uint8Array | null {
  if (snapshot?.kernel_digest !== kernelDigest) return null;
  const { data } = snapshot;
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0;
  return decodeBase64('snapshot', data, Math.floor((data.length * 3) / 4) - padding);
}
