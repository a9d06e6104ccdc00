import type { TaskEnd, TaskId } from '#protocol';

/** About what an end takes beside its text, in characters. */
const charsPerEnd = 300;
/** Together, as text. */
const maxChars = 64_000_000;

/**
 * How tasks ended of which the edge has told, whether or not somebody has asked. When they become too much for the memory, the oldest are forgotten:
 * the edge knows them still.
 */
export class Ends {
  readonly #ends = new Map<TaskId, { end: TaskEnd; chars: number }>();
  #chars = 0;

  get isEmpty(): boolean {
    return this.#ends.size === 0;
  }

  get(id: TaskId): TaskEnd | undefined {
    return this.#ends.get(id)?.end;
  }

  /** @param chars of all of them together, about */
  add(ends: readonly TaskEnd[], chars: number): void {
    const share = charsPerEnd + Math.ceil(chars / Math.max(1, ends.length));
    for (const end of ends) {
      this.#forget(end.task_id);
      this.#ends.set(end.task_id, { end, chars: share });
      this.#chars += share;
    }
    for (const id of this.#ends.keys()) {
      if (this.#chars <= maxChars || this.#ends.size <= 1) return;
      this.#forget(id);
    }
  }

  #forget(id: TaskId): void {
    this.#chars -= this.#ends.get(id)?.chars ?? 0;
    this.#ends.delete(id);
  }
}
