import type { GridEvent, Principal } from '#protocol';
import type { Core } from './core.ts';
import { filterFor, matches, published } from './events.ts';
import type { EventPage, EventPageQuery } from './rpc.ts';

/** Rows of the log that one page looks at: a rare filter answers with a short page instead of a long wait. */
const maxPageRows = 100;
const rowsPerStep = 10;

/** What the log remembers, oldest first. Nothing is changed by reading. */
export function eventHistory(core: Core, principal: Principal, page: EventPageQuery): EventPage {
  const { events: log, shard } = core;
  const filter = filterFor(principal, page.query);
  const sinceMs = page.since_ms ?? 0;
  let seq = page.after ?? (page.since_ms === undefined ? 0 : log.seqBefore(sinceMs));
  const found: GridEvent[] = [];
  for (let rows = 0; rows < maxPageRows && seq < log.seq && found.length < page.limit; rows += rowsPerStep) {
    for (const event of log.after(seq, rowsPerStep)) {
      seq = event.seq;
      if (Date.parse(event.time) >= sinceMs && matches(filter, event)) found.push(published(event, shard));
      if (found.length >= page.limit) break;
    }
  }
  return { events: found, position: { shard, oldest_seq: log.oldestSeq, newest_seq: log.seq, seq } };
}
