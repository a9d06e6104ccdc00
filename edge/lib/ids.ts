import { sortableId, type TaskId } from '#protocol';
import type { Clock } from './clock.ts';

/** Makes sortable ids that grow even within one millisecond, so that what is submitted first sorts first. */
export class SortableIds {
  readonly #clock: Clock;
  #lastMs = 0;
  #random: Uint8Array = new Uint8Array(10);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): string {
    const nowMs = this.#clock.now();
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#random = this.#clock.randomBytes(10);
      // Half of the range stays free, so that counting up cannot run over within a millisecond.
      this.#random[0] = (this.#random[0] ?? 0) & 0x7f;
    } else {
      increment(this.#random);
    }
    return sortableId(this.#lastMs, this.#random);
  }
}

function increment(bytes: Uint8Array): void {
  for (let i = bytes.length - 1; i >= 0; i--) {
    const byte = ((bytes[i] ?? 0) + 1) & 0xff;
    bytes[i] = byte;
    if (byte !== 0) return;
  }
}

/** The part of an id behind its time, where it follows from a hash in hexadecimal digits instead of chance. */
export function bytesOfHash(hash: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: 10 }, (_, index) => Number.parseInt(hash.slice(2 * index, 2 * index + 2), 16));
}

const digits = '0123456789abcdefghjkmnpqrstvwxyz';

/** The time in a task’s id, in ms since 1970: when it was submitted. */
export function idTimeMs(id: TaskId): number {
  const start = id.indexOf('-') + 1;
  let ms = 0;
  for (let i = start; i < start + 10; i++) ms = ms * 32 + digits.indexOf(id.charAt(i));
  return ms;
}

/** Sorts before every id of that shard made at `ms` or later, and after every earlier one. */
export function firstIdAt(shard: number, ms: number): TaskId {
  return `${shard}-${sortableId(Math.max(0, ms), new Uint8Array(10))}` as TaskId;
}
