import { heartbeat } from '#protocol';
import type { WebSocketLike } from '../options.ts';
import type { Clock } from './clock.ts';

/** Asks an open socket again and again for a sign of life: a connection can die without either end being told. The edge answers without waking. */
export class Heartbeat {
  readonly #over = new AbortController();
  #heard = true;

  /** @param onSilent called once, when nothing came for a whole period after it was asked for */
  constructor(socket: WebSocketLike, clock: Clock, periodMs: number, onSilent: () => void) {
    this.#beat(socket, clock, periodMs).then(onSilent, () => undefined);
  }

  /** Something came. @returns true for a bare sign of life */
  heard(data: unknown): boolean {
    this.#heard = true;
    return data === heartbeat.pong;
  }

  stop(): void {
    this.#over.abort();
  }

  /** Resolves when nothing is heard any more; rejects when it is stopped. */
  async #beat(socket: WebSocketLike, clock: Clock, periodMs: number): Promise<void> {
    await clock.sleep(periodMs, this.#over.signal);
    while (this.#heard) {
      this.#heard = false;
      socket.send(heartbeat.ping);
      await clock.sleep(periodMs, this.#over.signal);
    }
  }
}
