import { TabgridError } from '#protocol';
import { bodyTooLarge, type Announced, type Blobs } from './blobs.ts';
import type { ByteRange } from './ranges.ts';

/** R2 wants parts of one size, at least 5 MiB; one is held in memory at a time. */
const partBytes = 8 * 1024 * 1024;

/** Bytes in an R2 bucket. */
export class R2Blobs implements Blobs {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async put(
    key: string,
    body: ReadableStream<Uint8Array>,
    { bytes: announced, maxBytes }: Announced,
  ): Promise<{ sha256: string; bytes: number }> {
    if (announced !== null && announced > maxBytes) throw bodyTooLarge(maxBytes);
    const parts = hashedParts(body, announced, maxBytes);
    const first = await parts.next();
    if (first.done) {
      await this.#bucket.put(objectKey(key), new Uint8Array());
      return first.value;
    }
    const second = await parts.next();
    if (second.done) {
      await this.#bucket.put(objectKey(key), first.value);
      return second.value;
    }
    const upload = await this.#bucket.createMultipartUpload(objectKey(key));
    try {
      const uploaded = [await upload.uploadPart(1, first.value), await upload.uploadPart(2, second.value)];
      for (;;) {
        const next = await parts.next();
        if (next.done) {
          await upload.complete(uploaded);
          return next.value;
        }
        uploaded.push(await upload.uploadPart(uploaded.length + 1, next.value));
      }
    } catch (error) {
      await upload.abort().catch(() => undefined);
      throw error;
    }
  }

  async get(key: string, range?: ByteRange): Promise<ReadableStream<Uint8Array> | null> {
    const object = await this.#bucket.get(objectKey(key), range === undefined ? {} : { range });
    return object === null ? null : (object.body as ReadableStream<Uint8Array>);
  }

  async delete(key: string): Promise<void> {
    await this.#bucket.delete(objectKey(key));
  }
}

function objectKey(key: string): string {
  return `blobs/${key}`;
}

/** Cuts a body into parts of `partBytes`, the last one shorter, and returns what was hashed and counted on the way. */
async function* hashedParts(
  body: ReadableStream<Uint8Array>,
  announced: number | null,
  maxBytes: number,
): AsyncGenerator<Uint8Array, { sha256: string; bytes: number }> {
  const digest = new crypto.DigestStream('SHA-256');
  const writer = digest.getWriter();
  const reader = body.getReader({ mode: 'byob' });
  let bytes = 0;
  for (;;) {
    const { value } = await reader.readAtLeast(partBytes, new Uint8Array(partBytes)).catch((error: unknown) => {
      throw new TabgridError('unavailable', 'the upload broke off', { cause: error });
    });
    const length = value?.byteLength ?? 0;
    bytes += length;
    if (bytes > maxBytes) {
      await reader.cancel().catch(() => undefined);
      throw bodyTooLarge(maxBytes);
    }
    if (value !== undefined && length > 0) {
      await writer.write(value);
      yield value;
    }
    if (length < partBytes) break;
  }
  if (announced !== null && bytes !== announced) throw new TabgridError('unavailable', 'the upload broke off');
  await writer.close();
  return { sha256: hexOf(await digest.digest), bytes };
}

function hexOf(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
