import { recordFormatOf, RecordScanner, TabgridError } from '#protocol';

/** Records `from` … `to` (exclusive) of the version of a file that has this hash. */
export interface RecordsPart {
  from: number;
  to: number;
  sha256: string;
}

const lineEnd = 10;

/** Where the records of one file begin: found once, whatever parts of it are asked for. */
export class RecordIndex {
  readonly #path: string;
  readonly #bytes: Uint8Array;
  /** One more than there are records: the last is the end of the file. */
  readonly #starts: Uint32Array;
  /** The header’s line, of a CSV table. */
  readonly #header: Uint8Array;

  constructor(path: string, bytes: Uint8Array) {
    const isTable = recordFormatOf(path) === 'csv';
    const starts = new GrowingList();
    let header: Uint8Array = new Uint8Array(0);
    let isHeader = isTable;
    const scanner = new RecordScanner(recordFormatOf(path), (start, end) => {
      if (isHeader) header = withLineEnd(bytes.subarray(start, end));
      else starts.push(start);
      isHeader = false;
    });
    scanner.push(bytes);
    scanner.end();
    starts.push(bytes.length);
    this.#path = path;
    this.#bytes = bytes;
    this.#starts = starts.toArray();
    this.#header = header;
  }

  get length(): number {
    return this.#starts.length - 1;
  }

  /** These records as a file of their own. @throws TabgridError `invalid_input` where there are not so many. */
  slice(from: number, to: number): Uint8Array {
    if (to > this.length) {
      throw new TabgridError('invalid_input', `${this.#path}: expected at least ${to} items, it has ${this.length}`);
    }
    const records = this.#bytes.subarray(this.#starts[from], this.#starts[to]);
    const part = new Uint8Array(this.#header.length + records.length);
    part.set(this.#header);
    part.set(records, this.#header.length);
    return part;
  }
}

function withLineEnd(line: Uint8Array): Uint8Array {
  const ended = new Uint8Array(line.length + 1);
  ended.set(line);
  ended[line.length] = lineEnd;
  return ended;
}

/** Whole numbers below 2³², four bytes each. */
class GrowingList {
  #values = new Uint32Array(1024);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Uint32Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  toArray(): Uint32Array {
    return this.#values.slice(0, this.#length);
  }
}
