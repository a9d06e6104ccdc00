import { invalidRequest, isTextDeeperThan, limits, TabgridError, type Json } from '#protocol';

/**
 * A request’s body, in whole. One that is too large is refused by its announced length, or as soon as it has sent too much; the rest is
 * not read.
 * @throws TabgridError `body_too_large`
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const announced = request.headers.get('content-length');
  if (Number(announced ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return new Uint8Array();
  if (announced === null) return readUpTo(request.body as ReadableStream<Uint8Array>, maxBytes);
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

async function readUpTo(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concatenate(chunks, length);
    length += value.byteLength;
    if (length > maxBytes) {
      await reader.cancel().catch(() => undefined);
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
}

function tooLarge(maxBytes: number): TabgridError {
  return new TabgridError('body_too_large', `the body is larger than ${maxBytes} bytes`, {
    details: { max_bytes: maxBytes },
  });
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

/** @throws TabgridError `invalid_json`; `invalid_request` where it is nested too deeply. */
export function parseJson(bytes: Uint8Array): Json {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
    if (isTextDeeperThan(text, limits.maxJsonDepth)) throw tooDeep();
    return JSON.parse(text) as Json;
  } catch (error) {
    if (error instanceof TabgridError) throw error;
    const reason = error instanceof SyntaxError ? error.message : 'it is not UTF-8';
    throw new TabgridError('invalid_json', `the body is not JSON: ${reason}`);
  }
}

function tooDeep(): TabgridError {
  return invalidRequest({ path: '', message: `expected at most ${limits.maxJsonDepth} levels of nesting` });
}
