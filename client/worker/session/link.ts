import { retryDelayMs, TabgridError } from '#protocol';
import type { LinkAddress, LinkId, LinkTimerName, SessionEffect, SessionOptions } from './messages.ts';
import type { Moment } from './machine.ts';

/** `waiting` for the next try, `greeting` between `hello` and `welcome`. */
export type LinkState = 'idle' | 'waiting' | 'connecting' | 'greeting' | 'online' | 'refused';

export function linkId({ edge, shard }: LinkAddress): LinkId {
  return `${edge}/${shard}`;
}

/** One connection to one shard of one edge, which comes and goes: its state, its heartbeat, its back-off. */
export class Link {
  readonly id: LinkId;
  readonly address: LinkAddress;
  state: LinkState = 'idle';
  /** Connections that got a welcome. */
  welcomes = 0;
  heartbeatMs = 0;
  /** The last refusal that the edge named before it hung up. */
  refusal: TabgridError | null = null;
  readonly #options: SessionOptions;
  readonly #emit: (effect: SessionEffect) => void;
  #failures = 0;
  #unansweredPings = 0;

  constructor(address: LinkAddress, options: SessionOptions, emit: (effect: SessionEffect) => void) {
    this.id = linkId(address);
    this.address = address;
    this.#options = options;
    this.#emit = emit;
  }

  /** Whether it is there or may come. */
  get isLive(): boolean {
    return this.state !== 'refused';
  }

  connect(): void {
    this.state = 'connecting';
    this.refusal = null;
    this.setTimer('connect', this.#options.connectTimeoutMs);
    this.#emit({ type: 'connect', link: this.id, address: this.address });
  }

  /** @returns whether it is time for `hello`. */
  opened(): boolean {
    if (this.state !== 'connecting') return false;
    this.state = 'greeting';
    this.#unansweredPings = 0;
    return true;
  }

  /** @returns whether `welcome` was awaited. */
  welcomed(heartbeatMs: number): boolean {
    if (this.state !== 'greeting') return false;
    this.state = 'online';
    this.welcomes++;
    this.heartbeatMs = heartbeatMs;
    this.#clearTimer('connect');
    return true;
  }

  /**
   * The next try comes after a while, unless a refusal would only be repeated. The first loss in a row without a refusal is told.
   * @returns whether there was anything to lose.
   */
  lost(error: TabgridError | null, { random }: Moment): boolean {
    if (this.state === 'waiting' || this.state === 'idle' || this.state === 'refused') return false;
    const wasOnline = this.state === 'online';
    this.#clearTimers();
    if (isFatal(error)) {
      this.state = 'refused';
      this.refusal = error;
    } else {
      this.state = 'waiting';
      // Further shards are mostly away with the first.
      if (error === null && this.#failures === 0 && this.address.shard === 0) this.#tellAway(wasOnline);
      this.setTimer('reconnect', retryDelayMs(this.#options.reconnect, this.#failures++, random));
    }
    return true;
  }

  hangUp(reason: string): void {
    this.#emit({ type: 'disconnect', link: this.id, reason });
    this.#clearTimers();
  }

  ping(): void {
    this.#unansweredPings++;
    this.#emit({ type: 'ping', link: this.id });
    this.setTimer('heartbeat', this.heartbeatMs);
  }

  /** Only an answered ping shows that a connection holds: an edge that greets and hangs up is not asked in a tight loop. */
  ponged(): void {
    this.#unansweredPings = 0;
    this.#failures = 0;
  }

  /** Something came in, so the other side lives. */
  heard(): void {
    this.#unansweredPings = 0;
  }

  get isSilent(): boolean {
    return this.#unansweredPings >= this.#options.maxUnansweredPings;
  }

  setTimer(name: LinkTimerName, ms: number): void {
    this.#emit({ type: 'set_timer', link: this.id, name, ms });
  }

  #tellAway(wasOnline: boolean): void {
    const edge = this.#options.edges > 1 ? `The edge no. ${this.address.edge + 1}` : 'The edge';
    const message = wasOnline
      ? `${edge} has closed the connection, or it broke. It is made again as soon as it can be.`
      : `${edge} cannot be reached. It is tried again until it can.`;
    this.#emit({ type: 'event', event: { type: 'warning', message } });
  }

  #clearTimers(): void {
    for (const name of ['connect', 'heartbeat', 'reconnect'] as const) this.#clearTimer(name);
  }

  #clearTimer(name: LinkTimerName): void {
    this.#emit({ type: 'clear_timer', link: this.id, name });
  }
}

/** Refusals that another try would only repeat. */
function isFatal(error: TabgridError | null): boolean {
  return error !== null && fatalCodes.has(error.code);
}

const fatalCodes = new Set(['unauthorized', 'token_expired', 'forbidden', 'upgrade_required']);
