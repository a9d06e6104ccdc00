import type { EventStream } from './events.ts';
import type { Clock } from './lib/clock.ts';

/** The shortest time between two looks at what is being watched. */
const watchMs = 200;
/** The longest: an event may be lost with a connection that had not told any yet. */
const lookAgainMs = 10_000;

export interface Watched<View> {
  /** What tells that it has changed. Closed at the end. */
  readonly events: EventStream;
  readonly look: () => Promise<View>;
  readonly isOver: (view: View) => boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** Something as it is now and each time it has changed, the last time when it is over. */
export async function* watch<View>(watched: Watched<View>): AsyncGenerator<View, void, undefined> {
  const { events, look, isOver, clock, signal } = watched;
  const changes = events[Symbol.asyncIterator]();
  const close = (): void => events.close();
  signal?.addEventListener('abort', close);
  try {
    await events.opened();
    let change = changes.next();
    for (;;) {
      const view = await look();
      yield view;
      if (isOver(view)) return;
      const told = await firstOf(change, (limit) => clock.sleep(lookAgainMs, limit), signal);
      if (told?.done === true) return;
      if (told !== undefined) {
        // What comes close together is looked at once.
        await clock.sleep(watchMs, signal);
        events.skipWaiting();
        change = changes.next();
      }
    }
  } finally {
    signal?.removeEventListener('abort', close);
    events.close();
  }
}

/** Awaits what happens, but no longer than `limit`, which is then given up. @returns undefined when the limit came first. */
async function firstOf<T>(
  happening: Promise<T>,
  limit: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  const over = new AbortController();
  const signals = signal === undefined ? [over.signal] : [over.signal, signal];
  try {
    return await Promise.race([happening, limit(AbortSignal.any(signals)).then(() => undefined)]);
  } finally {
    over.abort();
  }
}
