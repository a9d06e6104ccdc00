/** The file service of one’s own machine, in memory. Like workerd’s own client, it takes a body that fails for one that ends. */
export class MemoryBlobService {
  readonly blobs = new Map<string, Uint8Array>();

  async fetch(
    url: string,
    init: { method?: string; headers?: Record<string, string>; body?: ReadableStream } = {},
  ): Promise<Response> {
    const [, key] = /^http:\/\/blobs\/blobs\/([\w.-]+)$/.exec(url) ?? [];
    if (key === undefined) return new Response('{}', { status: 400 });
    switch (init.method ?? 'GET') {
      case 'PUT':
        return this.#put(key, init.body ?? new Blob([]).stream());
      case 'DELETE':
        this.blobs.delete(key);
        return new Response('{}');
      default:
        return this.#get(key, init.headers?.range);
    }
  }

  async #put(key: string, body: ReadableStream): Promise<Response> {
    const chunks: Uint8Array[] = [];
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (done) break;
      chunks.push(value as Uint8Array);
    }
    const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
    this.blobs.set(key, bytes);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return Response.json({ sha256, bytes: bytes.length });
  }

  #get(key: string, range: string | undefined): Response {
    const bytes = this.blobs.get(key);
    if (bytes === undefined) return new Response('{}', { status: 404 });
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    if (first === undefined) return new Response(bytes);
    return new Response(bytes.slice(Number(first), Number(last) + 1), { status: 206 });
  }
}
