import type { Assignment, AttemptRef, Progress, TaskId } from '#protocol';
import { attemptKey } from '../execution/executor.ts';
import type { LinkId } from './messages.ts';

/** An attempt that this worker has and has not ended. */
export interface Held {
  readonly ref: AttemptRef;
  /** Who gave it, and is told of it. */
  readonly link: LinkId;
  readonly assignment: Assignment;
  running: boolean;
  /** Told by the executor; between handing it over and this, a thread may still be starting. */
  startedAtMs: number | null;
  snapshotAskedAtMs: number;
  /** Give it back as soon as its snapshot is here. */
  handBack: boolean;
  /** Waiting for the next flush. */
  readonly unsaid: { started: boolean; progress: Progress | null };
}

/** The attempts of one worker, waiting and running. */
export class Holdings {
  readonly #held = new Map<string, Held>();
  readonly #byTask = new Map<TaskId, Held>();
  /** By priority, each first come first. */
  readonly #waiting: Set<Held>[] = [];
  readonly #byLink = new Map<LinkId, Set<Held>>();

  get size(): number {
    return this.#held.size;
  }

  get runningCount(): number {
    return this.#waiting.reduce((running, waiting) => running - waiting.size, this.#held.size);
  }

  get isAnyWaiting(): boolean {
    return this.#waiting.some((waiting) => waiting.size > 0);
  }

  all(): Held[] {
    return [...this.#held.values()];
  }

  of(link: LinkId): Held[] {
    return [...(this.#byLink.get(link) ?? [])];
  }

  countOf(link: LinkId): number {
    return this.#byLink.get(link)?.size ?? 0;
  }

  get(ref: AttemptRef): Held | undefined {
    return this.#held.get(attemptKey(ref));
  }

  /** Another attempt of the same task. */
  otherAttempt(ref: AttemptRef): Held | undefined {
    const held = this.#byTask.get(ref.task_id);
    return held?.ref.attempt === ref.attempt ? undefined : held;
  }

  add(link: LinkId, assignment: Assignment): Held {
    const held: Held = {
      ref: { task_id: assignment.task_id, attempt: assignment.attempt },
      link,
      assignment,
      running: false,
      startedAtMs: null,
      snapshotAskedAtMs: 0,
      handBack: false,
      unsaid: { started: false, progress: null },
    };
    this.#held.set(attemptKey(held.ref), held);
    this.#byTask.set(held.ref.task_id, held);
    (this.#waiting[assignment.priority] ??= new Set()).add(held);
    this.#byLink.set(link, (this.#byLink.get(link) ?? new Set()).add(held));
    return held;
  }

  remove(ref: AttemptRef): Held | undefined {
    const held = this.get(ref);
    if (held === undefined) return undefined;
    this.#held.delete(attemptKey(ref));
    if (this.#byTask.get(ref.task_id) === held) this.#byTask.delete(ref.task_id);
    this.#waiting[held.assignment.priority]?.delete(held);
    this.#byLink.get(held.link)?.delete(held);
    return held;
  }

  /** It waits no more. */
  run(held: Held): void {
    held.running = true;
    this.#waiting[held.assignment.priority]?.delete(held);
  }

  /** The waiting attempts in the order in which they are to run: highest priority, then first come. */
  *waiting(): Generator<Held, void, undefined> {
    for (let priority = this.#waiting.length - 1; priority >= 0; priority--) yield* this.#waiting[priority] ?? [];
  }
}
