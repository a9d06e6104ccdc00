import {
  reconnectPolicy,
  retryDelayMs,
  TabgridError,
  workerSubprotocol,
  type ErrorCode,
  type EventType,
  type GridEvent,
} from '#protocol';
import { Heartbeat } from './lib/heartbeat.ts';
import type { WebSocketLike } from './options.ts';
import type { Transport } from './transport.ts';

/** Which events are wanted; what is absent does not narrow. */
export interface EventFilter {
  taskId?: string;
  campaignId?: string;
  workflowId?: string;
  /** A worker’s id. */
  worker?: string;
  queue?: string;
  label?: string;
  types?: readonly EventType[];
  /** Begins after this sequence number, with what the edge still remembers. Default: with what happens from now on. */
  after?: number;
  /** The Broker shard to listen to. Default: the task’s, or the first. `grid.eventPositions()` tells which there are. */
  shard?: number;
}

/** The filter as a query of the API. */
export function eventQuery(filter: EventFilter): Record<string, string | number | undefined> {
  return {
    task_id: filter.taskId,
    campaign_id: filter.campaignId,
    workflow_id: filter.workflowId,
    worker: filter.worker,
    queue: filter.queue,
    label: filter.label,
    types: filter.types?.join(','),
    after: filter.after,
    shard: filter.shard,
  };
}

/**
 * Events as they happen. A lost connection is made again from the last sequence number, so that none is missed or told twice.
 * Ends when it is closed, when the loop over it is left, or with a TabgridError when the edge refuses the token or the filter.
 */
export class EventStream implements AsyncIterable<GridEvent> {
  readonly #transport: Transport;
  readonly #filter: EventFilter;
  readonly #stop = new AbortController();
  readonly #waiting: GridEvent[] = [];
  readonly #firstOpen: Promise<void>;
  #after: number | undefined;
  #failure: unknown;
  #wake: () => void = () => undefined;
  #announceOpen: () => void = () => undefined;
  #announceFailure: (error: unknown) => void = () => undefined;

  constructor(transport: Transport, filter: EventFilter) {
    this.#transport = transport;
    this.#filter = filter;
    this.#after = filter.after;
    this.#firstOpen = new Promise((resolve, reject) => {
      this.#announceOpen = resolve;
      this.#announceFailure = reject;
    });
    // Whoever awaits it sees the failure; so does the loop.
    this.#firstOpen.catch(() => undefined);
    this.#run().catch((error: unknown) => {
      this.#failure = error;
      this.#end();
    });
  }

  /** Resolves once the edge sends events: nothing that happens from then on is missed. Rejects when it never will. */
  async opened(): Promise<void> {
    await this.#firstOpen;
  }

  close(): void {
    this.#end();
  }

  /** Forgets what has come and was not taken yet. */
  skipWaiting(): void {
    this.#waiting.length = 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<GridEvent, void, undefined> {
    try {
      for (;;) {
        for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) yield event;
        if (this.#failure !== undefined) throw this.#failure as Error;
        if (this.#stop.signal.aborted) return;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.close();
    }
  }

  #end(): void {
    this.#stop.abort();
    this.#announceFailure(this.#failure ?? new TabgridError('unavailable', 'the event stream was closed'));
    this.#wake();
  }

  async #run(): Promise<void> {
    const { clock } = this.#transport.options;
    for (let failures = 0; !this.#stopped(); failures++) {
      if (await this.#connection()) failures = 0;
      // A socket does not say why it was refused; an ordinary request does.
      else await this.#checkAccess();
      if (this.#stopped()) return;
      await clock
        .sleep(retryDelayMs(reconnectPolicy, failures, clock.random()), this.#stop.signal)
        .catch(() => undefined);
    }
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Opens a socket and takes events from it until it ends. @returns whether it was ever open. */
  async #connection(): Promise<boolean> {
    const socket = this.#connect();
    const { clock, heartbeatMs } = this.#transport.options;
    const { signal } = this.#stop;
    let heartbeat: Heartbeat | undefined;
    let leave = (): void => undefined;
    await new Promise<void>((resolve) => {
      leave = (): void => {
        socket.close(1000);
        resolve();
      };
      socket.addEventListener('open', () => {
        heartbeat = new Heartbeat(socket, clock, heartbeatMs, leave);
        this.#announceOpen();
      });
      socket.addEventListener('message', ({ data }) => {
        if (heartbeat?.heard(data) !== true) this.#take(data);
      });
      socket.addEventListener('close', () => resolve());
      socket.addEventListener('error', () => resolve());
      signal.addEventListener('abort', leave);
    });
    // Sockets come and go; what ends the stream stays.
    signal.removeEventListener('abort', leave);
    heartbeat?.stop();
    return heartbeat !== undefined;
  }

  #connect(): WebSocketLike {
    const { WebSocket, token } = this.#transport.options;
    if (WebSocket === undefined) throw new TypeError('events need a WebSocket: pass one as an option of Grid');
    const address = this.#transport.address('/v1/events', {
      ...eventQuery(this.#filter),
      after: this.#after,
      // Should the connection be lost before the first event, it tells where to go on.
      position: 'true',
    });
    // A token must not stand in an address, where logs would keep it.
    return new WebSocket(address.replace(/^http/, 'ws'), [workerSubprotocol, `bearer.${token}`]);
  }

  #take(data: unknown): void {
    if (typeof data !== 'string' || this.#stopped()) return;
    const event = JSON.parse(data) as GridEvent | { position: number };
    if ('position' in event) {
      this.#after ??= event.position;
      return;
    }
    if (this.#after !== undefined && event.seq <= this.#after) return;
    this.#after = event.seq;
    this.#waiting.push(event);
    this.#wake();
  }

  /** @throws TabgridError when no further try can succeed: the token does not do, or the filter does not fit. */
  async #checkAccess(): Promise<void> {
    try {
      const query = { ...eventQuery(this.#filter), limit: 0 };
      await this.#transport.json({ path: '/v1/events/history', query, signal: this.#stop.signal });
    } catch (error) {
      if (error instanceof TabgridError && finalRefusals.has(error.code)) throw error;
    }
  }
}

const finalRefusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'unauthorized',
  'token_expired',
  'forbidden',
  'invalid_request',
]);
