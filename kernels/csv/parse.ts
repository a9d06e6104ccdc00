import { KernelInputError } from '../runtime/index.ts';

/** A table of text: what a CSV file says. */
export interface CsvTable {
  /** Column names, without duplicates. */
  readonly header: readonly string[];
  /** One entry for each record after the header, as long as the header. */
  readonly rows: readonly (readonly string[])[];
}

/** How a spreadsheet numbers the rows: the header is row 1, the first data row is row 2. */
export const FIRST_DATA_ROW = 2;

const COMMA = 44;
const QUOTE = 34;
const CR = 13;
const LF = 10;

function decode(data: Uint8Array | string): string {
  if (typeof data === 'string') return data.startsWith('\ufeff') ? data.slice(1) : data;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data);
  } catch {
    throw new KernelInputError('csv', 'text in UTF-8', data);
  }
}

interface Field {
  readonly text: string;
  /** Index of the character that ends the field: a comma, a line end, or the end of the text. */
  readonly end: number;
}

const endsField = (code: number): boolean => code === COMMA || code === CR || code === LF || Number.isNaN(code);

function quotedField(text: string, start: number, where: () => string): Field {
  let value = '';
  for (let from = start + 1; ;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) throw new KernelInputError(where(), 'a closing quotation mark', 'the end of the file');
    value += text.slice(from, quote);
    const next = text.charCodeAt(quote + 1);
    if (next !== QUOTE) {
      if (endsField(next)) return { text: value, end: quote + 1 };
      throw new KernelInputError(where(), 'a comma or a line end after the closing quotation mark', text[quote + 1]);
    }
    value += '"';
    from = quote + 2;
  }
}

function plainField(text: string, start: number): Field {
  let end = start;
  while (!endsField(text.charCodeAt(end))) end++;
  return { text: text.slice(start, end), end };
}

/** Records of fields, in order. Empty lines are no records. */
function readRecords(text: string): string[][] {
  const records: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const record: string[] = [];
    for (;;) {
      const where = (): string => `row ${records.length + 1}, column ${record.length + 1}`;
      const field = text.charCodeAt(at) === QUOTE ? quotedField(text, at, where) : plainField(text, at);
      record.push(field.text);
      at = field.end;
      if (text.charCodeAt(at) !== COMMA) break;
      at++;
    }
    if (text.charCodeAt(at) === CR) at++;
    if (text.charCodeAt(at) === LF) at++;
    if (record.length > 1 || record[0] !== '') records.push(record);
  }
  return records;
}

/**
 * Reads a CSV file as RFC 4180 describes it: a header, commas, quotation marks around fields that need them and doubled inside, lines that end
 * in CRLF, LF or CR. A byte order mark and empty lines are passed over; a quotation mark inside an unquoted field stands for itself.
 *
 * @throws KernelInputError naming the row (the header is row 1) and the column that does not fit.
 */
export function parseCsv(data: Uint8Array | string): CsvTable {
  const [header, ...rows] = readRecords(decode(data));
  if (header === undefined) throw new KernelInputError('csv', 'a header line', 'nothing');
  header.forEach((name, column) => {
    if (header.indexOf(name) !== column) {
      throw new KernelInputError(`row 1, column ${column + 1}`, 'column names that differ', name);
    }
  });
  rows.forEach((row, index) => {
    if (row.length === header.length) return;
    throw new KernelInputError(`row ${index + FIRST_DATA_ROW}`, `${header.length} fields, as in the header`, row);
  });
  return { header, rows };
}
