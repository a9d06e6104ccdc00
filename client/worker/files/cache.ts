/** A file’s bytes with the hash by which the edge knows its version. */
export interface CachedFile {
  etag: string;
  bytes: Uint8Array;
}

/** The name of a file in the cache. */
export function keyOf(owner: string, path: string): string {
  return `${owner}\n${path}`;
}

/** Keeps the files used last, up to a number of bytes. */
export class FileCache {
  readonly #maxBytes: number;
  /** In the order of use, oldest first. */
  readonly #files = new Map<string, CachedFile>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What it may hold. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  get(key: string): CachedFile | undefined {
    const file = this.#files.get(key);
    if (file) {
      this.#files.delete(key);
      this.#files.set(key, file);
    }
    return file;
  }

  put(key: string, file: CachedFile): void {
    this.delete(key);
    if (file.bytes.length > this.#maxBytes) return;
    this.#files.set(key, file);
    this.#bytes += file.bytes.length;
    for (const oldest of this.#files.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#bytes -= this.#files.get(key)?.bytes.length ?? 0;
    this.#files.delete(key);
  }
}
