import { Grid, type Clock, type GridOptions, type WebSocketLike } from '../../../client/sdk/index.ts';

/** A request as the edge would see it. */
export interface SeenRequest {
  method: string;
  url: URL;
  headers: Headers;
  body: string;
}

export type Answer = Response | Error | ((request: SeenRequest) => Response | Error | Promise<Response>);

/** Answers requests by a script, and remembers them. */
export class FakeEdge {
  readonly seen: SeenRequest[] = [];
  readonly #answers: Answer[] = [];

  /** The next answers, in order; the last one serves all that follow. */
  answers(...answers: Answer[]): this {
    this.#answers.push(...answers);
    return this;
  }

  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    init.signal?.throwIfAborted();
    const request: SeenRequest = {
      method: init.method ?? 'GET',
      url: new URL(input instanceof Request ? input.url : input),
      headers: new Headers(init.headers),
      body: typeof init.body === 'string' ? init.body : '',
    };
    this.seen.push(request);
    const next = this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0];
    const answer = typeof next === 'function' ? await next(request) : next;
    if (answer === undefined) throw new Error(`no answer for ${request.method} ${request.url.pathname}`);
    if (answer instanceof Error) throw answer;
    return answer.clone();
  };
}

/** How often sockets are asked for a sign of life. */
const heartbeatMs = 12_345;

/** Time stands still but for sleeps, which pass at once; between two heartbeats, when the test says so. */
export class FakeClock implements Clock {
  readonly slept: number[] = [];
  #passPeriod: () => void = () => undefined;
  #nowMs = 1_700_000_000_000;

  now(): number {
    return this.#nowMs;
  }

  random(): number {
    return 0.5;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (ms === heartbeatMs) return new Promise((resolve) => (this.#passPeriod = resolve));
    this.slept.push(ms);
    // Whatever else can happen happens first.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    this.#nowMs += ms;
  }

  /** It is time for the next heartbeat of the newest socket. */
  async passHeartbeat(): Promise<void> {
    this.#passPeriod();
    await new Promise((resolve) => setImmediate(resolve));
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}

/** A socket whose other end is the test. */
export class FakeSocket implements WebSocketLike {
  static readonly opened: FakeSocket[] = [];
  readonly url: URL;
  readonly protocols: string[];
  closed = false;
  readonly #listeners = new Map<string, ((event: { data: unknown }) => void)[]>();

  constructor(url: string, protocols: string[]) {
    this.url = new URL(url);
    this.protocols = protocols;
    FakeSocket.opened.push(this);
  }

  addEventListener(type: string, listener: (event: { data: unknown }) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  readonly sent: string[] = [];

  send(data: string): void {
    this.sent.push(data);
  }

  close(): void {
    this.closed = true;
    this.emit('close');
  }

  emit(type: 'open' | 'close' | 'error' | 'message', data?: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data });
  }
}

export function setup(options: Partial<GridOptions> = {}): { grid: Grid; edge: FakeEdge; clock: FakeClock } {
  const edge = new FakeEdge();
  const clock = new FakeClock();
  FakeSocket.opened.length = 0;
  const grid = new Grid({
    url: 'http://edge.test/',
    token: 'token-1',
    fetch: edge.fetch,
    WebSocket: FakeSocket,
    submitOver: 'http',
    heartbeatSeconds: heartbeatMs / 1000,
    clock,
    ...options,
  });
  return { grid, edge, clock };
}

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers });
}

export function refusal(code: string, status: number, headers: Record<string, string> = {}): Response {
  return json({ error: { code, message: `it is ${code}` } }, status, headers);
}
