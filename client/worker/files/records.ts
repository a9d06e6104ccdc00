import { recordFormatOf, RecordScanner, TabgridError, type RecordFormat } from '#protocol';

/** Records `from` … `to` (exclusive) of the version of a file that has this hash. */
export interface RecordsPart {
  from: number;
  to: number;
  sha256: string;
}

/** Bytes `start` … `end` (exclusive) of a file. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const lineEnd = 10;
/** Of so many records the place of one is kept: ten million take little memory, and what is read too much is little. */
const stride = 64;

/** Where the records of one file lie: found once, as it passes by, whatever parts of it are asked for. */
export class RecordIndex {
  readonly #path: string;
  readonly #format: RecordFormat;
  readonly #scanner: RecordScanner;
  /** Where each 64th record begins. */
  readonly #samples: number[] = [];
  /** The beginning of a table, until its header has ended. */
  #head: Uint8Array | null;
  /** The header with a line end; nothing where lines are JSON. */
  #header: Uint8Array = new Uint8Array(0);
  #length = 0;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
    this.#format = recordFormatOf(path);
    this.#head = this.#format === 'csv' ? new Uint8Array(0) : null;
    this.#scanner = new RecordScanner(this.#format, (start, end) => this.#found(start, end));
  }

  static of(path: string, bytes: Uint8Array): RecordIndex {
    const index = new RecordIndex(path);
    index.push(bytes);
    index.end();
    return index;
  }

  push(chunk: Uint8Array): void {
    if (this.#head !== null) this.#head = joined(this.#head, chunk);
    this.#bytes += chunk.length;
    this.#scanner.push(chunk);
  }

  end(): void {
    this.#scanner.end();
    this.#head = null;
  }

  /** Bytes among which these records are. @throws TabgridError `invalid_input` where there are not so many. */
  spanOf(from: number, to: number): Span {
    if (to > this.#length) {
      throw new TabgridError('invalid_input', `${this.#path}: expected at least ${to} items, it has ${this.#length}`);
    }
    const start = this.#samples[Math.floor(from / stride)] ?? this.#bytes;
    return { start, end: this.#samples[Math.ceil(to / stride)] ?? this.#bytes };
  }

  /** These records as a file of their own, behind the header. @param bytes those of their span. */
  take(bytes: Uint8Array, from: number, to: number): Uint8Array {
    let record = Math.floor(from / stride) * stride;
    let start = bytes.length;
    let end = bytes.length;
    const scanner = new RecordScanner(
      this.#format,
      (begun) => {
        if (record === from) start = begun;
        if (record === to) end = begun;
        record++;
      },
      'middle',
    );
    scanner.push(bytes);
    scanner.end();
    return joined(this.#header, bytes.subarray(start, end));
  }

  /** The same, where all of the file is at hand. */
  slice(whole: Uint8Array, from: number, to: number): Uint8Array {
    const { start, end } = this.spanOf(from, to);
    return this.take(whole.subarray(start, end), from, to);
  }

  #found(start: number, end: number): void {
    if (this.#head !== null) {
      this.#header = joined(this.#head.subarray(start, end), Uint8Array.of(lineEnd));
      this.#head = null;
      return;
    }
    if (this.#length % stride === 0) this.#samples.push(start);
    this.#length++;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
