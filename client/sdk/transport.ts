import { isErrorCode, reconnectPolicy, retryDelayMs, TabgridError, type ErrorCode } from '#protocol';
import type { ResolvedOptions } from './options.ts';

/** What can be sent; all but a stream can be sent again. */
export type Body = string | Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>;

export type QueryValue = string | number | boolean | undefined;

export interface Call {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the deployment. */
  readonly path: string;
  readonly query?: Readonly<Record<string, QueryValue>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: Body;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a POST; one is made where it is absent. */
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Speaks HTTP with the edge: the token, idempotency keys, retries, errors. */
export class Transport {
  readonly options: ResolvedOptions;
  /** Of all its idempotency keys; drawn with the first. */
  #keyPrefix: string | null = null;
  #keys = 0;

  constructor(options: ResolvedOptions) {
    this.options = options;
  }

  /** @throws TabgridError whatever the edge refuses; TypeError where it cannot be reached after all retries. */
  async json<T>(call: Call): Promise<T> {
    const keyed = { ...call, idempotencyKey: call.idempotencyKey ?? this.newKey() };
    for (let tries = 0; ; tries++) {
      const response = await this.send(keyed);
      try {
        return (await response.json()) as T;
      } catch (error) {
        // The connection broke in the middle of the answer; the key makes asking again harmless.
        const again = error instanceof TypeError && !(call.body instanceof ReadableStream);
        if (!again || call.signal?.aborted || tries >= this.options.retries) throw error;
      }
    }
  }

  /** @returns a response whose status is a success, its body unread. */
  async send(call: Call): Promise<Response> {
    const { clock, retries } = this.options;
    const request = this.#requestInit(call);
    const repeatable = !(call.body instanceof ReadableStream);
    for (let tries = 0; ; tries++) {
      const again = repeatable && tries < retries;
      const outcome = await this.#once(call, request).catch((error: unknown) => unreachable(error, call.signal, again));
      if (outcome instanceof Response) return outcome;
      if (!again || !outcome.retryable) throw outcome.error;
      const delayMs = outcome.retryAfterMs ?? retryDelayMs(reconnectPolicy, tries, clock.random());
      await clock.sleep(delayMs, call.signal);
    }
  }

  /** Walks a list that is paged by cursor. @param member the name under which a page holds its items. */
  async *pages<Item>(
    path: string,
    member: string,
    query: Readonly<Record<string, QueryValue>>,
  ): AsyncGenerator<Item, void, undefined> {
    let cursor: string | undefined;
    do {
      const page = await this.json<{ next_cursor?: string | null } & Record<string, Item[]>>({
        path,
        query: { ...query, cursor },
      });
      yield* page[member] ?? [];
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
  }

  address(path: string, query: Readonly<Record<string, QueryValue>> = {}): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
    const text = parameters.toString();
    return `${this.options.url}${path}${text === '' ? '' : `?${text}`}`;
  }

  async #once(call: Call, request: RequestInit): Promise<Response | Refusal> {
    const response = await this.options.fetch(this.address(call.path, call.query), request);
    return response.ok ? response : await refusalOf(response);
  }

  #requestInit(call: Call): RequestInit {
    const method = call.method ?? 'GET';
    const headers = new Headers(call.headers);
    headers.set('authorization', `Bearer ${this.options.token}`);
    if (method === 'POST') headers.set('idempotency-key', call.idempotencyKey ?? this.newKey());
    if (call.json !== undefined) headers.set('content-type', 'application/json');
    const body = call.json === undefined ? call.body : JSON.stringify(call.json);
    return {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      // A stream as a body needs it said (fetch.spec.whatwg.org, RequestInit.duplex).
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    };
  }

  /** An idempotency key that nobody has used. */
  newKey(): string {
    const { clock } = this.options;
    this.#keyPrefix ??= `sdk-${clock.now().toString(36)}-${Math.floor(clock.random() * 2 ** 48).toString(36)}`;
    // In their order as text, so that the edge’s index grows at its end.
    return `${this.#keyPrefix}-${(this.#keys++).toString(36).padStart(7, '0')}`;
  }
}

/** An answer that is no success. */
interface Refusal {
  readonly error: Error;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
}

function unreachable(error: unknown, signal: AbortSignal | undefined, again: boolean): Refusal {
  if (signal?.aborted || !(error instanceof TypeError) || !again) throw error;
  return { error, retryable: true, retryAfterMs: undefined };
}

async function refusalOf(response: Response): Promise<Refusal> {
  const body: unknown = await response.json().catch(() => undefined);
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(seconds) ? seconds : undefined;
  const error = errorFrom(body, response.status, retryAfterSeconds);
  return {
    error,
    // A missing secret is not put in place within seconds.
    retryable: [429, 502, 503, 504].includes(response.status) && error.code !== 'not_configured',
    retryAfterMs: retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000,
  };
}

/** Turns an error body back into the error that the edge threw. */
function errorFrom(body: unknown, status: number, retryAfterSeconds?: number): TabgridError {
  const { code, message, details } = (body as { error?: Partial<Record<string, unknown>> } | undefined)?.error ?? {};
  const known: ErrorCode = isErrorCode(code) ? code : status >= 500 ? 'unavailable' : 'internal';
  return new TabgridError(known, typeof message === 'string' ? message : `the edge answered with status ${status}`, {
    ...(typeof details === 'object' && details !== null ? { details: details as Record<string, unknown> } : {}),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
