import type { Clock } from '../lib/clock.ts';
import { matches, published, type EventFilter, type EventLog, type StoredEvent } from './events.ts';
import { sendText } from './sessions.ts';

const eventsTag = 'events';

interface Listener {
  readonly socket: WebSocket;
  readonly filter: EventFilter;
  /** The number of the last event that was looked at for it; it is live when that is the newest. */
  seq: number;
}

/** Rows of the log that one step of a replay reads. */
const replayRows = 10;

/** The sockets of `GET /v1/events`: what was missed first, in small steps, then what happens. */
export class EventSockets {
  readonly #context: DurableObjectState;
  readonly #shard: number;
  readonly #events: EventLog;
  readonly #clock: Clock;
  readonly #listeners = new Map<WebSocket, Listener>();

  constructor(context: DurableObjectState, shard: number, events: EventLog, clock: Clock) {
    this.#context = context;
    this.#shard = shard;
    this.#events = events;
    this.#clock = clock;
    // Only an object at rest is rebuilt around its sockets, and at rest every listener has heard everything.
    for (const socket of context.getWebSockets(eventsTag)) {
      const filter = socket.deserializeAttachment() as EventFilter | null;
      if (filter !== null) this.#listeners.set(socket, { socket, filter, seq: events.seq });
    }
  }

  /** @param after the last number that the listener knows; null for none of the past. */
  accept(
    socket: WebSocket,
    filter: EventFilter,
    { after, position }: { after: number | null; position: boolean },
  ): void {
    this.#context.acceptWebSocket(socket, [eventsTag]);
    socket.serializeAttachment(filter);
    const listener = { socket, filter, seq: after ?? this.#events.seq };
    this.#listeners.set(socket, listener);
    if (position) sendText(socket, JSON.stringify({ position: listener.seq }));
    if (listener.seq < this.#events.seq) this.#replaySoon(listener);
    else listener.seq = this.#events.seq;
  }

  close(socket: WebSocket): void {
    this.#listeners.delete(socket);
  }

  /** Tells everybody who is up to date what has just been committed. */
  push(events: readonly StoredEvent[]): void {
    const [first] = events;
    if (first === undefined) return;
    for (const listener of this.#listeners.values()) {
      // Whoever still catches up will read them from the log.
      if (listener.seq === first.seq - 1) this.#tell(listener, events);
    }
  }

  #replaySoon(listener: Listener): void {
    this.#clock.setTimer(0, () => {
      if (!this.#listeners.has(listener.socket)) return;
      const events = this.#events.after(listener.seq, replayRows);
      if (events.length === 0) {
        listener.seq = this.#events.seq;
        return;
      }
      this.#tell(listener, events);
      this.#replaySoon(listener);
    });
  }

  #tell(listener: Listener, events: readonly StoredEvent[]): void {
    for (const event of events) {
      if (matches(listener.filter, event)) sendText(listener.socket, JSON.stringify(published(event, this.#shard)));
    }
    listener.seq = events.at(-1)?.seq ?? listener.seq;
  }
}
