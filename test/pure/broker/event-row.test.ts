import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventTypes, isoTime } from '#protocol';
import { EventRow, eventsOf } from '../../../edge/broker/event-row.ts';
import type { StoredEvent } from '../../../edge/broker/events.ts';

const firstMs = Date.UTC(2026, 10, 28);

interface Drawn {
  readonly event: Omit<StoredEvent, 'seq' | 'time'>;
  readonly timeMs: number;
}

/** Few values of each member, so that successive events often have the same. */
const drawn: fc.Arbitrary<Drawn> = fc
  .record(
    {
      type: fc.constantFrom(...eventTypes),
      owner: fc.constantFrom('alice', '0', 'bob "the" ünï', null),
      task_id: fc.constantFrom('0-1', '0-2', undefined),
      task: fc.constantFrom('ping', 'train_surrogate', undefined),
      labels: fc.constantFrom(['a'], ['a', 'b'], [], undefined),
      worker: fc.constantFrom('w:1', 'w:2', undefined),
      campaign_id: fc.constantFrom('c-1', undefined),
      workflow_id: fc.constantFrom('w-1', undefined),
      data: fc.oneof(fc.constant(undefined), fc.jsonValue()),
      queue: fc.constantFrom('default', 'evaluations', undefined),
      timeMs: fc.double({ min: firstMs - 5000, max: firstMs + 5000, noNaN: true }),
    },
    { requiredKeys: ['type', 'owner', 'timeMs'] },
  )
  .map(({ timeMs, ...event }) => ({ event: event as unknown as Drawn['event'], timeMs }));

function stored(events: readonly Drawn[], firstSeq: number): StoredEvent[] {
  return events.map(({ event, timeMs }, index) => ({ ...event, seq: firstSeq + index, time: isoTime(timeMs) }));
}

/** As JSON has them. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a row of events', () => {
  it('gives back what was put into it, also when it is read and added to in between', () => {
    fc.assert(
      fc.property(
        fc.array(drawn, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 1e9 }),
        fc.nat(),
        (events, firstSeq, cut) => {
          const all = stored(events, firstSeq);
          let row = new EventRow(firstSeq);
          let count = 0;
          for (const event of all) {
            if (!row.add(event, events[count]!.timeMs)) break;
            count++;
            if (count === cut % 30) row = EventRow.of(firstSeq, row.items)!;
          }
          expect(row.count).toBe(count);
          expect(plain(eventsOf(firstSeq, row.items))).toEqual(plain(all.slice(0, count)));
        },
      ),
      { seed: 11 },
    );
  });

  it('fits a page of the database, however long its events, and takes one of any length', () => {
    const row = new EventRow(1);
    const event = { seq: 1, type: 'task-sent', time: isoTime(firstMs), owner: 'alice', data: 'x'.repeat(500) } as const;
    let count = 0;
    while (row.add({ ...event, seq: ++count }, firstMs));
    expect(row.items.length).toBeLessThan(4_061 - 100);
    expect(count).toBeGreaterThan(6);
    const large = new EventRow(1);
    expect(large.add({ ...event, data: 'x'.repeat(100_000) }, firstMs)).toBe(true);
    expect(large.add(event, firstMs)).toBe(false);
  });

  it('tells the events of a task in a fraction of their JSON', () => {
    const row = new EventRow(1);
    const events = ['task-sent', 'task-received', 'task-started', 'task-succeeded'].map(
      (type, index) =>
        ({
          seq: index + 1,
          type,
          time: isoTime(firstMs + index),
          owner: 'alice',
          task_id: '0-01jfz0000000000000000000000',
          task: 'ping',
          queue: 'default',
          ...(index === 0 ? {} : { worker: 'node:1234' }),
        }) as StoredEvent,
    );
    events.forEach((event, index) => row.add(event, firstMs + index));
    expect(row.items.length).toBeLessThan(JSON.stringify(events).length / 3);
  });

  it('reads rows as they were before, and adds nothing to them', () => {
    const events = stored([{ event: { type: 'task-sent', owner: 'alice' }, timeMs: firstMs }], 7);
    const items = events.map((event) => JSON.stringify(event)).join(',');
    expect(eventsOf(7, items)).toEqual(events);
    expect(EventRow.of(7, items)).toBeNull();
  });
});
