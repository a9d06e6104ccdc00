import { retryDelayMs, TabgridError, type RetryPolicy } from '#protocol';

/** `waiting` for the next try, `greeting` between `hello` and `welcome`. */
export type LinkState = 'idle' | 'waiting' | 'connecting' | 'greeting' | 'online';

/** The state of the connection and of its heartbeat. */
export class Link {
  state: LinkState = 'idle';
  /** Connections that got a welcome. */
  welcomes = 0;
  heartbeatMs = 0;
  #failures = 0;
  #unansweredPings = 0;

  opened(): void {
    this.state = 'greeting';
    this.#unansweredPings = 0;
  }

  welcomed(heartbeatMs: number): void {
    this.state = 'online';
    this.welcomes++;
    this.heartbeatMs = heartbeatMs;
  }

  pinged(): void {
    this.#unansweredPings++;
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

  isSilent(maxUnansweredPings: number): boolean {
    return this.#unansweredPings >= maxUnansweredPings;
  }

  /** @returns the milliseconds to wait before the next try. */
  lost(policy: RetryPolicy, random: number): number {
    this.state = 'waiting';
    return retryDelayMs(policy, this.#failures++, random);
  }
}

/** Refusals that another try would only repeat. */
export function isFatal(error: TabgridError | null): boolean {
  return error !== null && fatalCodes.has(error.code);
}

const fatalCodes = new Set(['unauthorized', 'token_expired', 'forbidden', 'upgrade_required']);
