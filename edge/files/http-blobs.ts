import { z } from 'zod';
import { TabgridError } from '#protocol';
import { bodyTooLarge, type Announced, type Blobs } from './blobs.ts';
import type { ByteRange } from './ranges.ts';

const storedSchema = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int().min(0) });

/** Bytes behind a file service: `PUT`, `GET` with `Range`, `DELETE` on `/blobs/<key>`. */
export class HttpBlobs implements Blobs {
  readonly #service: Fetcher;

  constructor(service: Fetcher) {
    this.#service = service;
  }

  async put(
    key: string,
    body: ReadableStream<Uint8Array>,
    { bytes, maxBytes }: Announced,
  ): Promise<{ sha256: string; bytes: number }> {
    if (bytes !== null && bytes > maxBytes) throw bodyTooLarge(maxBytes);
    const limit = new ByteLimit(maxBytes);
    // A known length goes with the request, so that the service itself sees when something is missing.
    const counted = bytes === null ? body.pipeThrough(limit.stream) : body;
    let response: Response;
    try {
      response = await this.#service.fetch(addressOf(key), { method: 'PUT', body: counted });
    } catch (error) {
      if (limit.exceeded) throw bodyTooLarge(maxBytes);
      throw unavailable(error);
    }
    if (response.status !== 200) {
      await response.body?.cancel();
      throw limit.exceeded ? bodyTooLarge(maxBytes) : unavailable(new Error(`PUT was answered ${response.status}`));
    }
    const stored = storedSchema.parse(await response.json());
    // workerd ends a request of unknown length in good order even when its body failed: only the stream itself knows.
    if (bytes === null ? limit.ended : stored.bytes === bytes) return stored;
    await this.delete(key);
    throw limit.exceeded ? bodyTooLarge(maxBytes) : new TabgridError('unavailable', 'the upload broke off');
  }

  async get(key: string, range?: ByteRange): Promise<ReadableStream<Uint8Array> | null> {
    const headers: Record<string, string> =
      range === undefined ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
    const response = await this.#service.fetch(addressOf(key), { headers }).catch((error: unknown) => {
      throw unavailable(error);
    });
    if (response.status === (range === undefined ? 200 : 206)) {
      return (response.body ?? new Blob([]).stream()) as ReadableStream<Uint8Array>;
    }
    await response.body?.cancel();
    if (response.status === 404) return null;
    throw unavailable(new Error(`GET was answered ${response.status}`));
  }

  async delete(key: string): Promise<void> {
    const response = await this.#service.fetch(addressOf(key), { method: 'DELETE' }).catch((error: unknown) => {
      throw unavailable(error);
    });
    await response.body?.cancel();
    if (!response.ok && response.status !== 404) throw unavailable(new Error(`DELETE was answered ${response.status}`));
  }
}

/** Lets so many bytes through and fails at the next, which breaks the upload off. */
class ByteLimit {
  readonly stream: TransformStream<Uint8Array, Uint8Array>;
  exceeded = false;
  /** True when the sender has said that this was all. */
  ended = false;

  constructor(maxBytes: number) {
    let passed = 0;
    this.stream = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        passed += chunk.byteLength;
        this.exceeded = passed > maxBytes;
        if (this.exceeded) controller.error(bodyTooLarge(maxBytes));
        else controller.enqueue(chunk);
      },
      flush: () => {
        this.ended = true;
      },
    });
  }
}

function addressOf(key: string): string {
  return `http://blobs/blobs/${key}`;
}

function unavailable(cause: unknown): TabgridError {
  return new TabgridError('unavailable', 'the store of the files cannot be reached', { retryAfterSeconds: 1, cause });
}
