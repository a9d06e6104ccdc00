import type { WorkerId } from '#protocol';
import {
  systemClock,
  type Clock,
  type Executor,
  type SessionEvent,
  type SessionStats,
  type WorkerSession,
} from '../../client/worker/index.ts';
import type { WorkerConfig } from '../config.ts';
import { parseEvaluator, type EvaluateFunction, type EvaluatorDeclaration } from '../evaluators/declaration.ts';
import { newWorkerId } from '../identity.ts';
import type { Log } from '../log.ts';
import { Additions } from './additions.ts';

type EventListener = (event: SessionEvent) => void;

/** What a component sees of the worker that it is a part of. */
export interface WorkerContext {
  readonly workerId: WorkerId;
  readonly name: string;
  /** All options with their defaults; the tokens are among them. */
  readonly config: Readonly<WorkerConfig>;
  readonly clock: Clock;
  readonly log: Log;
  /** Null until the component `session` has started. */
  readonly stats: SessionStats | null;
  /** Hears what happens between the worker and the edge, until the answer is called. */
  onEvent(listener: EventListener): () => void;
  /** Lets the worker leave in good order, as its first SIGTERM does. */
  drain(reason: string): void;
  /**
   * Offers an evaluator, as `--evaluator` does: a declaration such as `python3 sim.py`, or a function of this process. Only `before: ['evaluators']`.
   * @throws TabgridError `invalid_request` for a name that is taken, or when it is too late.
   */
  addEvaluator(name: string, evaluator: string | EvaluateFunction): void;
  /**
   * Has tasks of these types, which the edge must know, computed by `executor` instead of the threads. Only `before: ['executor']`. The worker
   * closes it when it leaves.
   * @throws TabgridError `invalid_request` for a type that has one, or when it is too late.
   */
  addExecutor(tasks: readonly string[], executor: Executor): void;
}

/** The worker’s own side of the context. */
export class RunningWorker implements WorkerContext {
  readonly workerId: WorkerId;
  readonly config: Readonly<WorkerConfig>;
  readonly clock = systemClock;
  readonly log: Log;
  readonly evaluators = new Additions<EvaluatorDeclaration>('the evaluator', 'evaluators');
  readonly executors = new Additions<Executor>('the executor of', 'executor');
  /** Set by the component `session`, once it has started. */
  session: WorkerSession | null = null;
  /** Why the worker is to leave, once somebody wants it to. */
  drainReason: string | null = null;
  readonly #listeners = new Set<EventListener>();
  readonly #onDrain: () => void;

  constructor(config: WorkerConfig, log: Log, onDrain: () => void) {
    this.config = config;
    this.log = log;
    this.workerId = newWorkerId(config.name);
    this.#onDrain = onDrain;
    for (const [name, declaration] of config.evaluators) this.evaluators.add(name, declaration);
  }

  get name(): string {
    return this.config.name;
  }

  get stats(): SessionStats | null {
    return this.session?.stats ?? null;
  }

  onEvent(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A listener’s fault is no fault of the session’s. */
  tell(event: SessionEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.log(`A listener failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  drain(reason: string): void {
    this.drainReason ??= reason;
    this.#onDrain();
  }

  addEvaluator(name: string, evaluator: string | EvaluateFunction): void {
    const isText = typeof evaluator === 'string';
    this.evaluators.add(name, isText ? parseEvaluator(evaluator) : { type: 'function', evaluate: evaluator });
  }

  addExecutor(tasks: readonly string[], executor: Executor): void {
    for (const task of tasks) this.executors.add(task, executor);
  }
}
