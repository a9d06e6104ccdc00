import { TabgridError } from '#protocol';
import { keyOf, type FileCache } from './cache.ts';
import { RecordIndex, type RecordsPart, type Span } from './records.ts';
import { Shared } from './shared.ts';

/** Asks for a file until there is an answer that `consume` has read to its end. */
export type RequestFile = <T>(
  owner: string,
  path: string,
  signal: AbortSignal,
  init: RequestInit,
  consume: (response: Response) => Promise<T>,
) => Promise<T>;

/** Versions of files of which it is kept where their records lie. */
const maxIndexes = 64;

/** Reads parts of files of records: each file passes by once, and again only as far as the cache does not hold it. */
export class RecordReader {
  readonly #cache: FileCache;
  readonly #request: RequestFile;
  /** Threads that want parts of the same file share one look through it. */
  readonly #scans = new Shared<RecordIndex>();
  /** Oldest first. */
  readonly #indexes = new Map<string, RecordIndex>();

  constructor(cache: FileCache, request: RequestFile) {
    this.#cache = cache;
    this.#request = request;
  }

  /** As `FileAccess.records` says. */
  async read(owner: string, path: string, part: RecordsPart, signal: AbortSignal): Promise<Uint8Array> {
    const etag = `"${part.sha256}"`;
    const key = `${keyOf(owner, path)}\n${etag}`;
    const index =
      this.#indexes.get(key) ??
      (await this.#scans.get(key, signal, (sharedSignal) => this.#scan(key, owner, path, etag, sharedSignal)));
    const span = index.spanOf(part.from, part.to);
    const whole = this.#cachedBytes(owner, path, etag);
    const bytes = whole?.subarray(span.start, span.end) ?? (await this.#span(owner, path, etag, span, signal));
    return index.take(bytes, part.from, part.to);
  }

  #cachedBytes(owner: string, path: string, etag: string): Uint8Array | undefined {
    const known = this.#cache.get(keyOf(owner, path));
    return known?.etag === etag ? known.bytes : undefined;
  }

  /** Looks through a file as it passes by; what fits into the cache stays there. */
  async #scan(key: string, owner: string, path: string, etag: string, signal: AbortSignal): Promise<RecordIndex> {
    const cached = this.#cachedBytes(owner, path, etag);
    const index = cached ? RecordIndex.of(path, cached) : await this.#scanTransfer(owner, path, etag, signal);
    this.#indexes.set(key, index);
    for (const oldest of this.#indexes.keys()) {
      if (this.#indexes.size <= maxIndexes) break;
      this.#indexes.delete(oldest);
    }
    return index;
  }

  #scanTransfer(owner: string, path: string, etag: string, signal: AbortSignal): Promise<RecordIndex> {
    return this.#ofVersion(owner, path, etag, signal, {}, async (response) => {
      const index = new RecordIndex(path);
      let chunks: Uint8Array<ArrayBuffer>[] | null = [];
      let bytes = 0;
      const reader = response.body?.getReader();
      for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
        index.push(next.value);
        bytes += next.value.length;
        if (bytes > this.#cache.maxBytes) chunks = null;
        chunks?.push(next.value);
      }
      index.end();
      if (chunks !== null) {
        const whole = new Uint8Array(await new Blob(chunks).arrayBuffer());
        this.#cache.put(keyOf(owner, path), { etag, bytes: whole });
      }
      return index;
    });
  }

  #span(owner: string, path: string, etag: string, { start, end }: Span, signal: AbortSignal): Promise<Uint8Array> {
    return this.#ofVersion(owner, path, etag, signal, { range: `bytes=${start}-${end - 1}` }, async (response) => {
      const bytes = new Uint8Array(await response.arrayBuffer());
      // A server need not know ranges.
      return response.status === 206 ? bytes : bytes.subarray(start, end);
    });
  }

  /** Reads that version of a file, and no other. */
  async #ofVersion<T>(
    owner: string,
    path: string,
    etag: string,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>>,
    consume: (response: Response) => Promise<T>,
  ): Promise<T> {
    try {
      const get = { method: 'GET', headers: { ...headers, 'if-match': etag } };
      return await this.#request(owner, path, signal, get, consume);
    } catch (error) {
      if (!(error instanceof TabgridError) || error.code !== 'precondition_failed') throw error;
      throw new TabgridError(error.code, `${path}: the file has changed since its items were counted`);
    }
  }
}
