import type { Json } from './json.ts';

/** How a file is a list of items: JSON, one value a line, or the rows of a CSV table behind its header. Lines without content are no items. */
export type RecordFormat = 'ndjson' | 'csv';

/** A path that ends in `.csv` is a table; every other one has lines of JSON. */
export function recordFormatOf(path: string): RecordFormat {
  return /\.csv$/i.test(path) ? 'csv' : 'ndjson';
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * The value of one cell: what JSON writes as a number or as true and false is that, anything else is text, and so is a number that a double
 * cannot hold; undefined where nothing is written, so that defaults apply.
 */
export function cellValue(text: string): Json | undefined {
  if (text === '') return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  if (!jsonNumber.test(text)) return text;
  const value = Number(text);
  const losesDigits = /^-?\d+$/.test(text) && !Number.isSafeInteger(value);
  return Number.isFinite(value) && !losesDigits ? value : text;
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const byteOrderMark = [0xef, 0xbb, 0xbf];

/** Where in a CSV record the scanner is. A quotation mark opens a field only at its start, and doubled it stands for itself. */
type Place = 'field-start' | 'plain' | 'quoted' | 'closing';

/**
 * Finds the records of a file, chunk by chunk, without decoding them. The header of a CSV table counts as a record here.
 *
 * What it calls a record is what `kernels/csv` reads as one.
 */
export class RecordScanner {
  readonly #isCsv: boolean;
  readonly #found: (start: number, end: number) => void;
  /** Bytes seen before the present chunk. */
  #offset = 0;
  #start = 0;
  #place: Place = 'field-start';
  /** Bytes of the present record that make it one: in CSV all but a pair of quotation marks alone, in NDJSON all but white space. */
  #content = 0;
  /** Bytes of a byte order mark at the file’s beginning; they belong to its first record, but are none of its content. */
  #mark = 0;

  /**
   * @param found Told of each record’s first byte and of the byte behind its last, the line’s end not among them.
   * @param from `middle`: where some record begins. Only at a file’s beginning there can be a byte order mark.
   */
  constructor(
    format: RecordFormat,
    found: (start: number, end: number) => void,
    from: 'beginning' | 'middle' = 'beginning',
  ) {
    if (from === 'middle') this.#mark = -1;
    this.#isCsv = format === 'csv';
    this.#found = found;
  }

  push(chunk: Uint8Array): void {
    for (let i = 0; i < chunk.length; i++) {
      const at = this.#offset + i;
      const byte = chunk[i] ?? 0;
      if (at === this.#mark && byte === byteOrderMark[at]) {
        this.#mark++;
        continue;
      }
      // What only began like a mark was text.
      if (at < byteOrderMark.length && at === this.#mark)
        byteOrderMark.slice(0, at).forEach((each, k) => this.#take(each, k));
      this.#take(byte, at);
    }
    this.#offset += chunk.length;
  }

  /** The last record needs no line end. */
  end(): void {
    this.#endRecord(this.#offset);
  }

  #take(byte: number, at: number): void {
    if (this.#isCsv) this.#csvByte(byte, at);
    else this.#ndjsonByte(byte, at);
  }

  #ndjsonByte(byte: number, at: number): void {
    if (byte === LF) this.#endRecord(at);
    else if (byte !== SPACE && byte !== TAB && byte !== CR) this.#content++;
  }

  #csvByte(byte: number, at: number): void {
    if (this.#place === 'quoted') {
      if (byte === QUOTE) this.#place = 'closing';
      else this.#content++;
      return;
    }
    if (byte === CR || byte === LF) {
      this.#endRecord(at);
    } else if (byte === COMMA) {
      this.#content++;
      this.#place = 'field-start';
    } else if (byte === QUOTE && this.#place === 'field-start') {
      this.#place = 'quoted';
    } else {
      this.#content++;
      this.#place = this.#place === 'closing' && byte === QUOTE ? 'quoted' : 'plain';
    }
  }

  #endRecord(at: number): void {
    if (this.#content > 0) this.#found(this.#start, at);
    this.#start = at + 1;
    this.#content = 0;
    this.#place = 'field-start';
  }
}
