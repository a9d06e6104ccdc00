import { limits, type AttemptRef, type Outcome, type WorkerFrame } from '#protocol';
import { attemptKey } from '../execution/executor.ts';

type OutcomeItem = Extract<WorkerFrame, { type: 'outcomes' }>['items'][number];

interface Entry {
  item: OutcomeItem;
  bytes: number;
  /** Null until it was sent over the present connection. */
  sentAtMs: number | null;
}

/** Half of what a frame may hold: an item is measured by itself, before it stands among others. */
const maxBytesPerFrame = limits.maxFrameBytes / 2;

/** Ends of attempts that the edge has not confirmed. They outlive connections. */
export class Outbox {
  readonly #entries = new Map<string, Entry>();

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
    const bytes = new TextEncoder().encode(JSON.stringify(item)).length;
    this.#entries.set(attemptKey(ref), { item, bytes, sentAtMs: null });
  }

  /** The answer came, or the attempt is known to be lost. */
  forget(ref: AttemptRef): boolean {
    return this.#entries.delete(attemptKey(ref));
  }

  /** A new connection: everything is to be sent again. */
  reconnected(): void {
    for (const entry of this.#entries.values()) entry.sentAtMs = null;
  }

  /** Says again, over the same connection, what was sent before `beforeMs` and not answered. */
  repeatSentBefore(beforeMs: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.sentAtMs !== null && entry.sentAtMs <= beforeMs) entry.sentAtMs = null;
    }
  }

  get hasUnsent(): boolean {
    for (const entry of this.#entries.values()) if (entry.sentAtMs === null) return true;
    return false;
  }

  /** What is to be sent now, in batches that fit a frame. Afterwards it counts as sent. */
  takeUnsent(nowMs: number): OutcomeItem[][] {
    const batches: OutcomeItem[][] = [];
    let batch: OutcomeItem[] = [];
    let bytes = 0;
    for (const entry of this.#entries.values()) {
      if (entry.sentAtMs !== null) continue;
      entry.sentAtMs = nowMs;
      if (batch.length >= limits.maxTasksPerFrame || (batch.length > 0 && bytes + entry.bytes > maxBytesPerFrame)) {
        batches.push(batch);
        batch = [];
        bytes = 0;
      }
      batch.push(entry.item);
      bytes += entry.bytes;
    }
    if (batch.length > 0) batches.push(batch);
    return batches;
  }
}
