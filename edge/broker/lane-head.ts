import type { TaskId } from '#protocol';

/** Where a task stands in its lane: higher priority first, then the one that was submitted first (ids sort by time). */
export interface Position {
  readonly priority: number;
  readonly id: TaskId;
}

/** True when `a` is served before `b`. */
export function isBefore(a: Position, b: Position): boolean {
  return a.priority !== b.priority ? a.priority > b.priority : a.id < b.id;
}

/** The stored queue, of which memory holds the heads. */
export interface HeadSource {
  /** Up to `limit` ready tasks of a lane after a position, in order. May contain tasks that are out on lease. */
  page(lane: number, after: Position | null, limit: number): Position[];
  /** True for a task that is out on lease. */
  isLeased(id: TaskId): boolean;
}

/** How much of a lane memory may hold. */
export interface HeadLimits {
  /** Read from storage at once. */
  readonly pageCount: number;
  readonly maxHeadCount: number;
}

/** One priority of one lane, sorted by id. Taking from the front is free. */
class Bucket {
  #ids: TaskId[] = [];
  #start = 0;

  get size(): number {
    return this.#ids.length - this.#start;
  }

  first(): TaskId | undefined {
    return this.#ids[this.#start];
  }

  last(): TaskId | undefined {
    return this.size === 0 ? undefined : this.#ids[this.#ids.length - 1];
  }

  add(id: TaskId): boolean {
    const last = this.last();
    if (last === undefined || last < id) {
      this.#ids.push(id);
      return true;
    }
    const index = this.#indexOf(id);
    if (this.#ids[index] === id) return false;
    this.#ids.splice(index, 0, id);
    return true;
  }

  remove(id: TaskId): boolean {
    const index = this.#indexOf(id);
    if (this.#ids[index] !== id) return false;
    if (index === this.#start) this.shift();
    else this.#ids.splice(index, 1);
    return true;
  }

  shift(): TaskId | undefined {
    const id = this.first();
    if (id === undefined) return undefined;
    this.#start++;
    if (this.#start > 1000 && this.#start * 2 > this.#ids.length) {
      this.#ids = this.#ids.slice(this.#start);
      this.#start = 0;
    }
    return id;
  }

  /** Drops all but the first `count`. */
  keep(count: number): void {
    this.#ids.length = Math.min(this.#ids.length, this.#start + count);
  }

  /** Where `id` is, or would be. */
  #indexOf(id: TaskId): number {
    let low = this.#start;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ids[middle] ?? '') < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const priorities = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0] as const;

/**
 * The head of one lane. Invariant: it holds exactly the ready tasks up to `#cursor`, or all of them when `#complete`. What is stored
 * beyond the cursor is read when the head is used up.
 */
export class LaneHead {
  readonly #buckets = new Map<number, Bucket>();
  #size = 0;
  #cursor: Position | null = null;
  #complete: boolean;
  readonly #lane: number;
  readonly #source: HeadSource;
  readonly #limits: () => HeadLimits;

  constructor(lane: number, source: HeadSource, limits: () => HeadLimits, complete: boolean) {
    this.#lane = lane;
    this.#source = source;
    this.#limits = limits;
    this.#complete = complete;
  }

  add(position: Position): void {
    if (!this.#complete && (this.#cursor === null || isBefore(this.#cursor, position))) return;
    if (this.#bucket(position.priority).add(position.id)) this.#size++;
    const { maxHeadCount } = this.#limits();
    if (this.#size > maxHeadCount) this.#trim(maxHeadCount);
  }

  remove(position: Position): void {
    if (this.#buckets.get(position.priority)?.remove(position.id)) this.#size--;
  }

  peek(): Position | undefined {
    this.#fill();
    for (const priority of priorities) {
      const id = this.#buckets.get(priority)?.first();
      if (id !== undefined) return { priority, id };
    }
    return undefined;
  }

  shift(): Position | undefined {
    const head = this.peek();
    if (head !== undefined) this.remove(head);
    return head;
  }

  #fill(): void {
    while (this.#size === 0 && !this.#complete) {
      const { pageCount } = this.#limits();
      const page = this.#source.page(this.#lane, this.#cursor, pageCount);
      this.#complete = page.length < pageCount;
      this.#cursor = page.at(-1) ?? this.#cursor;
      for (const { priority, id } of page) {
        if (!this.#source.isLeased(id) && this.#bucket(priority).add(id)) this.#size++;
      }
    }
  }

  /** Forgets the far half; it is stored. */
  #trim(maxHeadCount: number): void {
    let room = Math.floor(maxHeadCount / 2);
    this.#size = room;
    this.#complete = false;
    for (const priority of priorities) {
      const bucket = this.#buckets.get(priority);
      if (bucket === undefined) continue;
      bucket.keep(room);
      room -= bucket.size;
      const last = bucket.last();
      if (last !== undefined) this.#cursor = { priority, id: last };
    }
  }

  #bucket(priority: number): Bucket {
    let bucket = this.#buckets.get(priority);
    if (bucket === undefined) this.#buckets.set(priority, (bucket = new Bucket()));
    return bucket;
  }
}
