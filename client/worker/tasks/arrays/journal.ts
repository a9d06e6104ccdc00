import type { Json } from '#protocol';

const headerBytes = 4;

/** What an array’s stretch has come to: the results so far, as they will travel, and where the call under way can go on. */
export class Journal {
  /** Results as JSON. */
  readonly #texts: string[];
  #call: Uint8Array | null;

  private constructor(texts: string[], call: Uint8Array | null) {
    this.#texts = texts;
    this.#call = call;
  }

  /** Goes on where a snapshot was made. Bytes that cannot be read are no reason to fail: the stretch begins anew. */
  static open(snapshot: Uint8Array | null): Journal {
    if (snapshot === null || snapshot.length < headerBytes) return new Journal([], null);
    const textBytes = new DataView(snapshot.buffer, snapshot.byteOffset).getUint32(0);
    const call = snapshot.subarray(headerBytes + textBytes);
    try {
      const text = new TextDecoder().decode(snapshot.subarray(headerBytes, headerBytes + textBytes));
      const results = JSON.parse(text) as Json[];
      return new Journal(
        results.map((result) => JSON.stringify(result)),
        call.length === 0 ? null : call,
      );
    } catch {
      return new Journal([], null);
    }
  }

  /** Calls that are over. */
  get length(): number {
    return this.#texts.length;
  }

  /** The snapshot of the call that follows, told once. */
  takeCall(): Uint8Array | null {
    const call = this.#call;
    this.#call = null;
    return call;
  }

  /** @param json A result, as JSON. */
  push(json: string): void {
    this.#texts.push(json);
  }

  /** @param call The snapshot of the call under way, if one is. */
  snapshot(call: Uint8Array = new Uint8Array(0)): Uint8Array {
    const results = new TextEncoder().encode(this.json());
    const bytes = new Uint8Array(headerBytes + results.length + call.length);
    new DataView(bytes.buffer).setUint32(0, results.length);
    bytes.set(results, headerBytes);
    bytes.set(call, headerBytes + results.length);
    return bytes;
  }

  /** All results, as one JSON text. */
  json(): string {
    return `[${this.#texts.join(',')}]`;
  }
}
