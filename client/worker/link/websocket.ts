import { TabgridError, workerSubprotocol } from '#protocol';
import { diagnose } from './diagnose.ts';
import type { Connection, Transport, TransportListener } from './transport.ts';

/** What browsers’ WebSocket and undici’s have in common. */
export interface WebSocketLike {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export interface WebSocketTransportOptions {
  /** The edge’s origin, such as `https://grid.example`. */
  url: string;
  /** Asked at each connection, so that a token can be renewed. It travels as a subprotocol, never in the URL. */
  token: () => string;
  open: (url: string, protocols: string[]) => WebSocketLike;
  fetch: typeof fetch;
}

const openState = 1;

/** Speaks the worker protocol over `GET /v1/worker`. */
export class WebSocketTransport implements Transport {
  readonly #options: WebSocketTransportOptions;

  constructor(options: WebSocketTransportOptions) {
    this.#options = options;
  }

  connect(listener: TransportListener, shard: number): Connection {
    const { url, token, open, fetch } = this.#options;
    const bearer = token();
    const address = workerUrl(url, shard);
    let wasOpen = false;
    let over = false;
    const end = (error: TabgridError | null) => {
      if (over) return;
      over = true;
      listener.closed(error);
    };
    let socket: WebSocketLike;
    try {
      socket = open(address.replace(/^http/, 'ws'), [workerSubprotocol, `bearer.${bearer}`]);
    } catch (error) {
      // The one thing that can be wrong here: a token with characters that no header may hold.
      const message = `The token cannot be sent: ${error instanceof Error ? error.message : String(error)}`;
      queueMicrotask(() => end(new TabgridError('unauthorized', message)));
      return { send: () => undefined, close: () => (over = true) };
    }
    socket.onopen = () => {
      wasOpen = true;
      if (!over) listener.opened();
    };
    socket.onmessage = (event: { data: unknown }) => {
      if (!over && typeof event.data === 'string') listener.message(event.data);
    };
    // A close event follows.
    socket.onerror = () => undefined;
    socket.onclose = () => {
      // A browser does not say why a handshake was refused, so it is asked for.
      if (wasOpen) end(null);
      else void diagnose(address, bearer, fetch).then(end);
    };
    return {
      send: (text) => {
        if (socket.readyState === openState) socket.send(text);
      },
      close: (reason) => {
        over = true;
        socket.close(1000, closeReason(reason));
      },
    };
  }
}

function workerUrl(origin: string, shard: number): string {
  return new URL(shard === 0 ? '/v1/worker' : `/v1/worker?shard=${shard}`, origin).href;
}

/** A close frame holds 123 bytes of reason. */
function closeReason(reason: string): string {
  return reason.replace(/[^ -~]/g, '').slice(0, 120);
}
