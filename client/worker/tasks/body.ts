import type { Kwargs, Result, TaskName } from '#catalog';
import type { GpuOpening } from '#kernels/gpu';
import type { Json, Progress, TaskId } from '#protocol';
import type { RecordsPart } from '../files/records.ts';

/** Files of the owner who submitted the task. */
export interface FileAccess {
  /** @throws TabgridError `file_not_found`; `unavailable` when the edge stays away. */
  read(path: string): Promise<Uint8Array>;
  /**
   * Some of a file’s records (`edge/protocol/records.ts`), as a file of their own: of a table, behind its header. A file is looked through once for all
   * its parts.
   *
   * @throws TabgridError as `read` does; `precondition_failed` for another version of the file, `invalid_input` where there are not so many.
   */
  records(path: string, part: RecordsPart): Promise<Uint8Array>;
  /** Replaces the file as a whole. */
  write(path: string, bytes: Uint8Array, contentType: string): Promise<{ path: string; sha256: string }>;
}

/** Objective values of one candidate, by name; null where a value is not finite. */
export type CandidateValues = Record<string, number | null>;

/** The named evaluators that the worker was started with. Only Node workers have them. */
export interface EvaluatorHost {
  /**
   * Evaluates one candidate, within the task’s time limit divided by its candidates.
   *
   * @param index The candidate’s place in the task, from 0.
   * @param onFraction Told 0 … 1 as the evaluator reports it.
   * @throws TabgridError `evaluator_not_allowed` for an unknown name, `evaluator_failed`, `soft_time_limit_exceeded` or
   *   `time_limit_exceeded` for this candidate alone.
   */
  evaluate(
    name: string,
    candidate: Json,
    index: number,
    onFraction?: (fraction: number) => void,
  ): Promise<CandidateValues>;
}

/** What the worker gives to the body of a task. */
export interface TaskContext {
  readonly taskId: TaskId;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** The name of the worker that computes it. */
  readonly workerName: string;
  readonly kernels: WebAssembly.Module;
  /** sha-256 of the kernel binary, in hex. */
  readonly kernelDigest: string;
  readonly files: FileAccess;
  /** Tells how far it has come. Call it as often as you like: what is too frequent is left out. */
  progress(progress: Progress): void;
  /** Where to go on, written by an earlier attempt with the same kernels; null to begin. */
  readonly snapshot: Uint8Array | null;
  /** Call it between steps, before `yield`. `make` runs only when a snapshot is wanted; it travels when a next step follows. */
  checkpoint(make: () => Uint8Array): void;
  /** Call it before throwing what a retry may mend, where that is not to begin anew: the next attempt has this snapshot. */
  handOver(snapshot: Uint8Array): void;
  /** Aborted when the task must stop at once: revoked, or its lease is lost. */
  readonly signal: AbortSignal;
  /** Aborted at the soft time limit: return what there is, or let `throwIfAborted` end it as `soft_time_limit_exceeded`. */
  readonly softLimit: AbortSignal;
  /** Call it between steps: lets messages in (stop, snapshot wanted) from time to time. Throws when `signal` is aborted. */
  yield(): Promise<void>;
  readonly evaluators?: EvaluatorHost;
  /** The bodies of this worker, for a task that calls others. */
  readonly bodies: TaskBodies;
  /**
   * The worker’s GPU, or why it has none. Only tasks of the queue `gpu_training` are given it: results of all other queues must be equal to the
   * bit. The device is the worker’s, who closes it.
   */
  readonly gpu?: () => Promise<GpuOpening>;
}

/** Computes one task. What it throws becomes the task’s failure: a TabgridError keeps its code. */
export type TaskBody<Name extends TaskName> = (context: TaskContext, kwargs: Kwargs<Name>) => Promise<Result<Name>>;

/** The bodies that a worker has, by task type; `client/worker/tasks/index.ts` exports them as `bodies`. */
export type TaskBodies = { readonly [Name in TaskName]?: TaskBody<Name> };
