import type { FileView } from '#protocol';
import type { Body, Transport } from './transport.ts';

export interface PutOptions {
  /** Default: by the path’s ending, else `application/octet-stream`. */
  contentType?: string;
  /** Only if the file that is there has this sha-256. */
  ifMatch?: string;
  signal?: AbortSignal;
}

export interface GetOptions {
  /** Bytes from, and up to but without. */
  range?: { from: number; to?: number };
  signal?: AbortSignal;
}

const contentTypes: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  txt: 'text/plain',
};

/** Data sets, models and results: immutable blobs under paths such as `/datasets/barrel.csv`. */
export class FileStore {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Stores a file, in the place of the one before.
   * @throws TabgridError `precondition_failed`, `body_too_large`, `invalid_request` for a path that climbs out.
   */
  async put(path: string, content: Body, options: PutOptions = {}): Promise<FileView> {
    const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
    return await this.#transport.json<FileView>({
      method: 'PUT',
      path: filePath(path),
      body: content,
      headers: {
        'content-type': options.contentType ?? contentTypes[ending] ?? 'application/octet-stream',
        ...(options.ifMatch === undefined ? {} : { 'if-match': `"${options.ifMatch}"` }),
      },
      signal: options.signal,
    });
  }

  /** @returns the response, whose body streams; `arrayBuffer()`, `text()` or `json()` read it whole. @throws TabgridError `not_found` */
  async get(path: string, options: GetOptions = {}): Promise<Response> {
    const { range } = options;
    return await this.#transport.send({
      path: filePath(path),
      headers:
        range === undefined ? {} : { range: `bytes=${range.from}-${range.to === undefined ? '' : range.to - 1}` },
      signal: options.signal,
    });
  }

  /** Files whose path begins with `prefix`, page after page. */
  async *list(prefix = '/'): AsyncGenerator<FileView, void, undefined> {
    yield* this.#transport.pages<FileView>('/v1/files', 'files', { prefix });
  }

  /** @throws TabgridError `not_found` */
  async delete(path: string): Promise<void> {
    await this.#transport.send({ method: 'DELETE', path: filePath(path) });
  }
}

function filePath(path: string): string {
  return `/v1/files${path.split('/').map(encodeURIComponent).join('/')}`;
}
