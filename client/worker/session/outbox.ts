import { limits, type AttemptRef, type Outcome, type WorkerFrame } from '#protocol';
import { attemptKey } from '../execution/executor.ts';

type OutcomeItem = Extract<WorkerFrame, { type: 'outcomes' }>['items'][number];

interface Entry {
  readonly item: OutcomeItem;
  readonly chars: number;
  /** When it was last sent; 0 before. */
  sentAtMs: number;
}

/** Characters take up to three bytes, and an item is measured by itself, before it stands among others. */
const maxCharsPerFrame = limits.maxFrameBytes / 4;

/** Ends of attempts that the edge has not confirmed. They outlive connections. */
export class Outbox {
  readonly #entries = new Map<string, Entry>();
  /** Of those, what is to be sent over the present connection. */
  readonly #unsent = new Set<Entry>();

  get size(): number {
    return this.#entries.size;
  }

  has(ref: AttemptRef): boolean {
    return this.#entries.has(attemptKey(ref));
  }

  refs(): AttemptRef[] {
    return [...this.#entries.values()].map(({ item }) => ({ task_id: item.task_id, attempt: item.attempt }));
  }

  put(ref: AttemptRef, outcome: Outcome, runtimeMs: number): void {
    const item = { task_id: ref.task_id, attempt: ref.attempt, outcome, runtime_ms: runtimeMs };
    this.forget(ref);
    const entry = { item, chars: JSON.stringify(item).length, sentAtMs: 0 };
    this.#entries.set(attemptKey(ref), entry);
    this.#unsent.add(entry);
  }

  /** The answer came, or the attempt is known to be lost. */
  forget(ref: AttemptRef): void {
    const key = attemptKey(ref);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#unsent.delete(entry);
  }

  /** A new connection: everything is to be sent again. */
  reconnected(): void {
    for (const entry of this.#entries.values()) this.#unsent.add(entry);
  }

  /** Says again, over the same connection, what was sent before `beforeMs` and not answered. */
  repeatSentBefore(beforeMs: number): void {
    for (const entry of this.#entries.values()) if (entry.sentAtMs <= beforeMs) this.#unsent.add(entry);
  }

  get unsentCount(): number {
    return this.#unsent.size;
  }

  /** What is to be sent now, in batches that fit a frame. Afterwards it counts as sent. */
  takeUnsent(nowMs: number): OutcomeItem[][] {
    const batches: OutcomeItem[][] = [];
    let batch: OutcomeItem[] = [];
    let chars = 0;
    for (const entry of this.#unsent) {
      entry.sentAtMs = nowMs;
      if (batch.length >= limits.maxTasksPerFrame || (batch.length > 0 && chars + entry.chars > maxCharsPerFrame)) {
        batches.push(batch);
        batch = [];
        chars = 0;
      }
      batch.push(entry.item);
      chars += entry.chars;
    }
    this.#unsent.clear();
    if (batch.length > 0) batches.push(batch);
    return batches;
  }
}
