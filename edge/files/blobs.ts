import { TabgridError } from '#protocol';
import type { Env } from '../env.ts';
import { HttpBlobs } from './http-blobs.ts';
import { R2Blobs } from './r2-blobs.ts';
import type { ByteRange } from './ranges.ts';

/** What is known of a body before it has been read. */
export interface Announced {
  /** Null where the sender did not say. */
  readonly bytes: number | null;
  readonly maxBytes: number;
}

/** Where files’ bytes lie. Keys are ours: random, never a user’s path. */
export interface Blobs {
  /**
   * Stores a whole body. What breaks off, or is too long, leaves nothing under the key.
   * @throws TabgridError `body_too_large`, `unavailable`
   */
  put(key: string, body: ReadableStream<Uint8Array>, announced: Announced): Promise<{ sha256: string; bytes: number }>;
  /** Null where there is nothing under the key. */
  get(key: string, range?: ByteRange): Promise<ReadableStream<Uint8Array> | null>;
  /** May be repeated. */
  delete(key: string): Promise<void>;
}

/** The store of this deployment: R2, or the file service of one’s own machine. @throws TabgridError `not_configured` */
export function blobsOf(env: Env): Blobs {
  if (env.BLOBS !== undefined) return new HttpBlobs(env.BLOBS);
  if (env.BUCKET !== undefined) return new R2Blobs(env.BUCKET);
  throw new TabgridError('not_configured', 'files have no place: bind an R2 bucket as BUCKET');
}

export function bodyTooLarge(maxBytes: number): TabgridError {
  return new TabgridError(
    'body_too_large',
    `the body is larger than ${maxBytes} bytes; larger files go through /v1/uploads`,
    {
      details: { max_bytes: maxBytes },
    },
  );
}
