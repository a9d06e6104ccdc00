import { limits, retryDelayMs, TabgridError, type RetryPolicy } from '#protocol';
import { delay, type Clock } from '../lib/clock.ts';
import { errorOf } from '../link/diagnose.ts';
import { FileCache, keyOf } from './cache.ts';
import { RecordReader } from './record-reader.ts';
import type { RecordsPart } from './records.ts';
import { Shared } from './shared.ts';

/** Files of any owner whose tasks a worker computes. */
export interface FileStore {
  read(owner: string, path: string, signal: AbortSignal): Promise<Uint8Array>;
  /** As `FileAccess.records` says. */
  records(owner: string, path: string, part: RecordsPart, signal: AbortSignal): Promise<Uint8Array>;
  write(
    owner: string,
    path: string,
    bytes: Uint8Array,
    contentType: string,
    signal: AbortSignal,
  ): Promise<{ path: string; sha256: string }>;
}

export interface HttpFilesOptions {
  /** The edge’s origin. */
  url: string;
  /** Asked at each request, so that a token can be renewed. */
  token: () => string;
  fetch: typeof fetch;
  clock: Clock;
  /** What the cache may hold. */
  cacheBytes: number;
  /** Tries after the first; null for the usual. */
  maxRetries?: number;
  retry?: RetryPolicy;
}

interface Download {
  /** Null where the answer has none. */
  etag: string | null;
  bytes: Uint8Array;
}

/** For transfers: a second, doubling to fifteen; seven retries outlast a restart of the edge. */
const transferPolicy: RetryPolicy = { baseDelayMs: 1000, factor: 2, maxDelayMs: 15_000, jitter: true };
const defaultMaxRetries = 7;

/** Reads and writes files over `GET` and `PUT /v1/files/…`; what was read is kept and only asked for anew when it changed. */
export class HttpFiles implements FileStore {
  readonly #options: HttpFilesOptions;
  readonly #cache: FileCache;
  /** Threads that want the same file at the same time share one transfer. */
  readonly #reads = new Shared<Download>();
  readonly #records: RecordReader;

  constructor(options: HttpFilesOptions) {
    this.#options = options;
    this.#cache = new FileCache(options.cacheBytes);
    this.#records = new RecordReader(this.#cache, (...request) => this.#request(...request));
  }

  async read(owner: string, path: string, signal: AbortSignal): Promise<Uint8Array> {
    return (await this.#newest(owner, path, signal)).bytes;
  }

  records(owner: string, path: string, part: RecordsPart, signal: AbortSignal): Promise<Uint8Array> {
    return this.#records.read(owner, path, part, signal);
  }

  async write(
    owner: string,
    path: string,
    bytes: Uint8Array,
    contentType: string,
    signal: AbortSignal,
  ): Promise<{ path: string; sha256: string }> {
    if (bytes.length > limits.maxFileBytes) {
      throw new TabgridError(
        'body_too_large',
        `${path}: ${bytes.length} bytes are over the limit of ${limits.maxFileBytes} for one file`,
      );
    }
    const put: RequestInit = {
      method: 'PUT',
      headers: { 'content-type': contentType },
      // A view of shared memory is no body for fetch, and files never are one.
      body: bytes as Uint8Array<ArrayBuffer>,
    };
    return this.#request(owner, path, signal, put, async (response) => {
      const view = (await response.json()) as { path: string; sha256: string };
      return { path: view.path, sha256: view.sha256 };
    });
  }

  #newest(owner: string, path: string, signal: AbortSignal): Promise<Download> {
    const key = keyOf(owner, path);
    return this.#reads.get(key, signal, (sharedSignal) => this.#download(key, owner, path, sharedSignal));
  }

  #download(key: string, owner: string, path: string, signal: AbortSignal): Promise<Download> {
    const known = this.#cache.get(key);
    const headers: Record<string, string> = known ? { 'if-none-match': known.etag } : {};
    return this.#request(owner, path, signal, { method: 'GET', headers }, async (response) => {
      if (response.status === 304 && known) return known;
      const bytes = new Uint8Array(await response.arrayBuffer());
      const etag = response.headers.get('etag');
      if (etag !== null) this.#cache.put(key, { etag, bytes });
      return { etag, bytes };
    });
  }

  /** Asks until there is an answer and `consume` has read it to its end, or a fault that another try would only repeat. */
  async #request<T>(
    owner: string,
    path: string,
    signal: AbortSignal,
    init: RequestInit,
    consume: (response: Response) => Promise<T>,
  ): Promise<T> {
    const { url, token, fetch, clock, maxRetries = defaultMaxRetries, retry = transferPolicy } = this.#options;
    const address = new URL(`/v1/files${path.split('/').map(encodeURIComponent).join('/')}`, url);
    address.searchParams.set('owner', owner);
    for (let retries = 0; ; retries++) {
      signal.throwIfAborted();
      const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${token()}` };
      let fault: TabgridError;
      try {
        const response = await fetch(address, { ...init, headers, signal });
        const refusal = await faultOf(path, response);
        if (refusal === null) return await consume(response);
        fault = refusal;
      } catch (error) {
        fault = unreachable(path, error);
      }
      signal.throwIfAborted();
      if (!isWorthRetrying(fault) || retries >= maxRetries) throw fault;
      await delay(clock, retryDelayMs(retry, retries, clock.random()), signal);
    }
  }
}

function unreachable(path: string, cause: unknown): TabgridError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new TabgridError('unavailable', `${path}: the transfer failed (${message})`, { cause });
}

async function faultOf(path: string, response: Response): Promise<TabgridError | null> {
  if (response.ok || response.status === 304) return null;
  const error = await errorOf(response);
  if (response.status === 404) return new TabgridError('file_not_found', `${path}: there is no such file`);
  if (error) return new TabgridError(error.code, `${path}: ${error.message}`);
  const code = response.status >= 500 || response.status === 429 ? 'unavailable' : 'task_failed';
  return new TabgridError(code, `${path}: the edge answered ${response.status}`);
}

function isWorthRetrying(error: TabgridError): boolean {
  return ['unavailable', 'internal', 'rate_limited', 'not_configured'].includes(error.code);
}
