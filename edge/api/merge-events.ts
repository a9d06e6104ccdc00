import type { GridEvent } from '#protocol';

/** By time, but those of a shard stay in the order of their numbers, whatever its clock did. */
export function merged(logs: readonly (readonly GridEvent[])[]): GridEvent[] {
  const heads = logs.map((log) => ({ log, at: 0 }));
  const events: GridEvent[] = [];
  for (;;) {
    let first: { head: (typeof heads)[number]; event: GridEvent } | null = null;
    for (const head of heads) {
      const event = head.log[head.at];
      if (event !== undefined && (first === null || event.time < first.event.time)) first = { head, event };
    }
    if (first === null) return events;
    events.push(first.event);
    first.head.at++;
  }
}
