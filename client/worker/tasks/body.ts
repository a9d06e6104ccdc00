import type { Kwargs, Result, TaskName } from '#catalog';
import type { Progress } from '#protocol';

/** The files that a task may use: its owner’s. */
export interface FileAccess {
  /** @throws TabgridError `file_not_found`. */
  read(path: string): Promise<Uint8Array>;
  /** Replaces what lies at `path`. `sha256` is that of the stored bytes, in hex. */
  write(path: string, bytes: Uint8Array, contentType: string): Promise<{ path: string; sha256: string }>;
}

/** Values by input name. */
export type NamedCandidate = Readonly<Record<string, number>>;

/** What named evaluators (a command, an address, a module) are asked for, and how they tell of themselves. */
export interface EvaluationRequest {
  /** The name under which the worker was started with it. */
  readonly name: string;
  /** As the caller wrote them: values by name, or rows. */
  readonly candidates: readonly (NamedCandidate | readonly number[])[];
  /** Names of a row’s values, where candidates are rows. */
  readonly inputs: readonly string[] | undefined;
  /** Objectives to return; all where it is absent. */
  readonly objectives: readonly string[] | undefined;
}

/** Runs named evaluators. Only the Node worker has one. */
export interface EvaluatorHost {
  /** @throws TabgridError `evaluator_not_allowed` for a name that the worker was not started with. */
  evaluate(request: EvaluationRequest, context: TaskContext): Promise<Result<'evaluate_candidates'>>;
}

/** All that the body of a task type sees of the world. */
export interface TaskContext {
  readonly taskId: string;
  /** The fencing token of this try, from 1. */
  readonly attempt: number;
  /** The name of the worker that runs it. */
  readonly worker: string;
  /** The accepted kernel binary; instantiate it for the task and drop the instance. */
  readonly kernels: WebAssembly.Module;
  /** sha-256 of that binary, in hex. */
  readonly kernelDigest: string;
  readonly files: FileAccess;
  /** Tells how far it has come; cheap, the runtime sends at most a few a second. */
  progress(progress: Progress): void;
  /** Where an earlier attempt with the same kernels stopped: bytes from `checkpoint`; null at the first. */
  readonly snapshot: Uint8Array | null;
  /** Called between steps. The runtime decides whether to take a snapshot now, and only then calls `make`. */
  checkpoint(make: () => Uint8Array): void;
  /** Aborts when the task must end at once: revoked, taken away, or over its hard limit. */
  readonly signal: AbortSignal;
  /** Aborts when the soft limit has passed: end soon, with a result where one makes sense. */
  readonly softLimit: AbortSignal;
  /** Between steps: lets messages in, and throws the reason of `signal` once that is aborted. */
  yield(): Promise<void>;
  /** Absent where named evaluators cannot run. */
  readonly evaluators?: EvaluatorHost;
}

/**
 * The body of a task type: a function of its checked arguments. It throws TabgridError `invalid_input` or `file_not_found` for data that
 * no retry can mend; whatever else it throws is a failure that may be retried.
 */
export type TaskBody<Name extends TaskName> = (context: TaskContext, kwargs: Kwargs<Name>) => Promise<Result<Name>>;
