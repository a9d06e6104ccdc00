import { isoTime, type EventType } from '#protocol';
import type { StoredEvent } from './events.ts';

/**
 * Characters of a row: of ASCII it fits one page of the database, which has 4,096 bytes, so that no commit rewrites several for what it adds.
 */
const maxRowChars = 3_800;

/** Members that mostly are the same as the last event’s. */
const shared = ['owner', 'task_id', 'task', 'queue', 'worker', 'labels', 'campaign_id', 'workflow_id'] as const;
type Shared = Pick<StoredEvent, (typeof shared)[number]>;

/** Stands for what the event before it in the row has, too. */
const same = 0;

/** An event in a row: its type, ms since the last one, the shared members (null for one that is absent), and its data, if there are any. */
type Packed = [type: EventType, elapsedMs: number, ...rest: unknown[]];

const nothing: Shared = { owner: null };

/** Successive events in few characters: each is told by how it differs from the one before. A row can be read by itself. */
export class EventRow {
  readonly firstSeq: number;
  count = 0;
  items = '';
  #last = nothing;
  #lastMs = 0;

  constructor(firstSeq: number) {
    this.firstSeq = firstSeq;
  }

  /** A stored row that further events can be added to; null for one as they were before, in which events stand as they are. */
  static of(firstSeq: number, items: string): EventRow | null {
    if (isPlain(items)) return null;
    const row = new EventRow(firstSeq);
    for (const event of eventsOf(firstSeq, items)) row.#told(event, Date.parse(event.time));
    row.items = items;
    return row;
  }

  /** @returns false when it is full */
  add(event: StoredEvent, timeMs: number): boolean {
    const wholeMs = Math.trunc(timeMs);
    const text = JSON.stringify(this.#packed(event, wholeMs));
    if (this.count > 0 && this.items.length + text.length > maxRowChars) return false;
    this.items += this.count === 0 ? text : `,${text}`;
    this.#told(event, wholeMs);
    return true;
  }

  #packed(event: StoredEvent, timeMs: number): Packed {
    const packed: Packed = [event.type, timeMs - this.#lastMs];
    for (const name of shared) packed.push(isSame(event[name], this.#last[name]) ? same : (event[name] ?? null));
    if (event.data !== undefined) packed.push(event.data);
    else while (packed.at(-1) === same && packed.length > 2) packed.pop();
    return packed;
  }

  #told(event: StoredEvent, timeMs: number): void {
    this.count++;
    this.#last = event;
    this.#lastMs = timeMs;
  }
}

/** The events of a row. */
export function eventsOf(firstSeq: number, items: string): StoredEvent[] {
  const stored = JSON.parse(`[${items}]`) as unknown[];
  if (isPlain(items)) return stored as StoredEvent[];
  let last: Shared = nothing;
  let timeMs = 0;
  return (stored as Packed[]).map((packed, index) => {
    const [type, elapsedMs, ...rest] = packed;
    timeMs += elapsedMs;
    const member = <Name extends keyof Shared>(name: Name): Shared[Name] => {
      const value = rest[shared.indexOf(name)];
      if (value === undefined || value === same) return last[name];
      return (value ?? undefined) as Shared[Name];
    };
    const event = {
      seq: firstSeq + index,
      type,
      time: isoTime(timeMs),
      owner: member('owner') ?? null,
      task_id: member('task_id'),
      task: member('task'),
      labels: member('labels'),
      worker: member('worker'),
      campaign_id: member('campaign_id'),
      workflow_id: member('workflow_id'),
      data: rest[shared.length],
      queue: member('queue'),
    } as StoredEvent;
    last = event;
    return event;
  });
}

function isPlain(items: string): boolean {
  return items.startsWith('{');
}

function isSame(value: Shared[keyof Shared], other: Shared[keyof Shared]): boolean {
  if (value === other) return true;
  if (!Array.isArray(value) || !Array.isArray(other)) return false;
  return value.length === other.length && value.every((each, index) => each === other[index]);
}
