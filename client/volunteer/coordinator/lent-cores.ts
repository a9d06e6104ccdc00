import type { Assignment, AttemptRef, Outcome } from '#protocol';
import {
  attemptKey,
  type AbortReason,
  type Clock,
  type ExecutionEvent,
  type ExecutionListener,
  type Executor,
} from '../../worker/index.ts';
import type { Ledger } from './ledger.ts';

interface Run {
  readonly ref: AttemptRef;
  readonly tell: ExecutionListener;
  readonly begunAtMs: number;
  /** The dial was turned down: it goes back as soon as its snapshot is here. */
  leaving: boolean;
  /** Why it was stopped, if it was. */
  stopped: AbortReason | null;
}

export interface LentCoresParts {
  ledger: Ledger;
  clock: Clock;
  /** How long a task that is to go back may take to its next step, in ms. */
  handBackGraceMs: number;
  onChange: () => void;
}

/**
 * The executor of a tab: keeps the ledger of its cores, and takes the dial at its word. Fewer cores mean that the youngest tasks go back
 * at once, with a snapshot where their body can make one, instead of running to their end on a core that is no longer lent.
 */
export class LentCores implements Executor {
  readonly #pool: Executor;
  readonly #parts: LentCoresParts;
  /** In the order in which they came. */
  readonly #runs = new Map<string, Run>();

  constructor(pool: Executor, parts: LentCoresParts) {
    this.#pool = pool;
    this.#parts = parts;
  }

  start(assignment: Assignment, tell: ExecutionListener): void {
    const { clock, ledger } = this.#parts;
    const ref = { task_id: assignment.task_id, attempt: assignment.attempt };
    const run: Run = { ref, tell, begunAtMs: clock.now(), leaving: false, stopped: null };
    this.#runs.set(attemptKey(ref), run);
    ledger.begin(assignment, run.begunAtMs);
    this.#parts.onChange();
    this.#pool.start(assignment, (event) => this.#heard(run, event));
  }

  abort(ref: AttemptRef, reason: AbortReason): void {
    const run = this.#runs.get(attemptKey(ref));
    if (run) run.stopped ??= reason;
    this.#pool.abort(ref, reason);
  }

  askSnapshot(ref: AttemptRef): void {
    this.#pool.askSnapshot(ref);
  }

  resize(cores: number): void {
    this.#pool.resize(cores);
    const staying = [...this.#runs.values()].filter((run) => !run.leaving && run.stopped === null);
    for (const run of staying.slice(cores)) {
      run.leaving = true;
      this.#pool.askSnapshot(run.ref);
      this.#parts.clock.setTimer(this.#parts.handBackGraceMs, () => this.#handBack(run));
    }
  }

  recycle(): void {
    this.#pool.recycle();
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  #handBack(run: Run): void {
    if (this.#runs.get(attemptKey(run.ref)) !== run || run.stopped !== null) return;
    run.stopped = 'handed_back';
    this.#pool.abort(run.ref, 'handed_back');
  }

  #heard(run: Run, event: ExecutionEvent): void {
    const { ledger, clock, onChange } = this.#parts;
    switch (event.type) {
      case 'started':
      case 'adopted':
        run.tell(event);
        return;
      case 'progress':
        ledger.progress(run.ref, event.progress);
        onChange();
        run.tell(event);
        return;
      case 'snapshot':
        run.tell(event);
        if (run.leaving) this.#handBack(run);
        return;
      case 'finished': {
        this.#runs.delete(attemptKey(run.ref));
        const outcome = endOf(run, event.outcome);
        ledger.end(run.ref, outcome.type, event.runtimeMs || clock.now() - run.begunAtMs, clock.now());
        onChange();
        run.tell({ ...event, outcome });
        return;
      }
    }
  }
}

/** A task that was stopped because its core was taken away is not revoked: somebody else is to have it. */
function endOf(run: Run, outcome: Outcome): Outcome {
  const takenAway = run.stopped === 'handed_back' || run.stopped === 'left';
  return takenAway && outcome.type === 'revoked' ? { type: 'released', reason: 'its core is no longer lent' } : outcome;
}
