import { systemClock, type Clock } from './lib/clock.ts';

/** The part of a WebSocket that is used; browsers’, Node’s and undici’s have it. */
export interface WebSocketLike {
  addEventListener(type: 'open' | 'close' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

export interface GridOptions {
  /** Where the edge answers, such as `http://localhost:8787`. */
  url: string;
  /** A token with the scopes that the calls need: `submit` and `read` for most. */
  token: string;
  /** Default: the global one. */
  fetch?: typeof fetch;
  /** Default: the global one. Node 20 has none: pass undici’s. Needed for events; submitting is faster with it. */
  WebSocket?: WebSocketConstructor;
  /** How tasks are submitted: over one WebSocket where one can be opened, or each by a request. Default: `socket`. */
  submitOver?: 'socket' | 'http';
  /**
   * How often a call is tried again when the edge cannot be reached or says that it is busy. Default 8, which rides out a restart; 0 never
   * does. Every call can be repeated safely: those that change something carry an idempotency key.
   */
  retries?: number;
  /** How often an open WebSocket is asked for a sign of life. One that gives none is given up, and opened again. Default 10. */
  heartbeatSeconds?: number;
  clock?: Clock;
}

/** Options with nothing left open. */
export interface ResolvedOptions {
  readonly url: string;
  readonly token: string;
  readonly fetch: typeof fetch;
  readonly WebSocket: WebSocketConstructor | undefined;
  readonly submitOver: 'socket' | 'http';
  readonly retries: number;
  readonly heartbeatMs: number;
  readonly clock: Clock;
}

/** @throws TypeError that names the option. */
export function resolveOptions(options: GridOptions): ResolvedOptions {
  if (!URL.canParse(options.url) || !/^https?:/.test(options.url)) {
    throw new TypeError(`url: expected an address such as http://localhost:8787, got ${JSON.stringify(options.url)}`);
  }
  // A program in JavaScript may have read it from a variable that is not set; one that is read from a file ends with its line.
  const token = (options.token as string | undefined)?.trim();
  if (!token) throw new TypeError(`token: expected a token, got ${JSON.stringify(options.token)}`);
  const retries = options.retries ?? 8;
  if (!Number.isInteger(retries) || retries < 0) {
    throw new TypeError(`retries: expected a whole number of at least 0, got ${retries}`);
  }
  const heartbeatSeconds = options.heartbeatSeconds ?? 10;
  if (!(heartbeatSeconds > 0)) {
    throw new TypeError(`heartbeatSeconds: expected a number over 0, got ${heartbeatSeconds}`);
  }
  return {
    url: options.url.replace(/\/+$/, ''),
    token,
    // Bound: a page’s fetch refuses to be called as a method of anything but the window.
    fetch: options.fetch ?? globalThis.fetch.bind(globalThis),
    WebSocket: options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket,
    submitOver: options.submitOver ?? 'socket',
    retries,
    heartbeatMs: heartbeatSeconds * 1000,
    clock: options.clock ?? systemClock,
  };
}
