import { describe, expect, it } from 'vitest';
import { HttpBlobs } from '../../edge/files/http-blobs.ts';
import { R2Blobs } from '../../edge/files/r2-blobs.ts';
import type { Blobs } from '../../edge/files/blobs.ts';
import { testEnv } from './helpers/api.ts';
import { MemoryBlobService } from './helpers/blob-service.ts';

const maxBytes = 20e6;

/** Bytes that depend on their place, in pieces of `piece`; after `breakAt` of them the stream fails. */
function stream(bytes: Uint8Array, piece = 10_000, breakAt = Infinity): ReadableStream<Uint8Array> {
  let offset = 0;
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      if (offset >= breakAt) controller.error(new Error('the line went dead'));
      else if (offset >= bytes.length) {
        controller.close();
        controller.byobRequest?.respond(0);
      } else {
        controller.enqueue(bytes.slice(offset, offset + piece));
        offset += piece;
      }
    },
  });
}

function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i * 31 + (i >> 8);
  return bytes;
}

async function sha256(bytes: BufferSource): Promise<string> {
  return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

/** Of what came back; hashes are quicker to compare than megabytes. */
async function hashOf(body: ReadableStream<Uint8Array> | null): Promise<string | null> {
  return body === null ? null : sha256(await new Response(body).arrayBuffer());
}

const service = new MemoryBlobService();

describe.each<[string, Blobs]>([
  ['R2', new R2Blobs(testEnv.BUCKET!)],
  ['the file service', new HttpBlobs(service as unknown as Fetcher)],
])('bytes in %s', (_name, blobs) => {
  it.each([0, 1, 5000, 8 * 1024 * 1024, 9_000_000])('come back, %d of them, hashed on the way', async (length) => {
    const bytes = pattern(length);
    for (const announced of [length, null]) {
      const stored = await blobs.put('key', stream(bytes, 500_000), { bytes: announced, maxBytes });
      expect(stored).toEqual({ sha256: await sha256(bytes), bytes: length });
      expect(await hashOf(await blobs.get('key'))).toBe(stored.sha256);
    }
  });

  it('come in ranges', async () => {
    const bytes = pattern(100_000);
    await blobs.put('ranges', stream(bytes), { bytes: null, maxBytes });
    expect(await hashOf(await blobs.get('ranges', { offset: 99_000, length: 1000 }))).toBe(
      await sha256(bytes.slice(99_000)),
    );
    expect(await hashOf(await blobs.get('ranges', { offset: 0, length: 1 }))).toBe(await sha256(bytes.slice(0, 1)));
  });

  it('are not there before they were put and after they were deleted, which may be repeated', async () => {
    expect(await blobs.get('nothing')).toBeNull();
    await blobs.put('deleted', stream(pattern(10)), { bytes: 10, maxBytes });
    await blobs.delete('deleted');
    await blobs.delete('deleted');
    expect(await blobs.get('deleted')).toBeNull();
  });

  it.each([
    ['known', 1000],
    ['unknown', null],
  ])('of %s length that break off are refused', async (_what, announced) => {
    const broken = stream(pattern(1000), 100, 500);
    await expect(blobs.put('broken', broken, { bytes: announced, maxBytes })).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(await blobs.get('broken')).toBeNull();
  });

  it('that are fewer than announced are refused', async () => {
    const short = stream(pattern(900), 100);
    await expect(blobs.put('short', short, { bytes: 1000, maxBytes })).rejects.toMatchObject({ code: 'unavailable' });
    expect(await blobs.get('short')).toBeNull();
  });

  it.each([
    ['known', 3000],
    ['unknown', null],
  ])('over the limit, of %s length, are refused', async (_what, announced) => {
    const refused = blobs.put('large', stream(pattern(3000), 100), { bytes: announced, maxBytes: 2000 });
    await expect(refused).rejects.toMatchObject({ code: 'body_too_large' });
    expect(await blobs.get('large')).toBeNull();
  });
});

describe('a file service that fails', () => {
  it.each(['put', 'get', 'delete'] as const)('is unavailable to %s', async (method) => {
    const failing = { fetch: () => Promise.reject(new Error('refused')) } as unknown as Fetcher;
    const erring = { fetch: () => Promise.resolve(new Response('{}', { status: 500 })) } as unknown as Fetcher;
    for (const fetcher of [failing, erring]) {
      const blobs = new HttpBlobs(fetcher);
      const asked =
        method === 'put' ? blobs.put('key', stream(pattern(1)), { bytes: 1, maxBytes }) : blobs[method]('key');
      await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
    }
  });
});
