import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsv, writeCsv } from '#kernels/csv';
import { cellValue, recordFormatOf, RecordScanner, type RecordFormat } from '#protocol';

/** The text of each record of a file that arrives in chunks of `size` bytes. */
function recordsOf(text: string, format: RecordFormat, size = 3): string[] {
  const bytes = new TextEncoder().encode(text);
  const records: string[] = [];
  const scanner = new RecordScanner(format, (start, end) => {
    records.push(new TextDecoder().decode(bytes.subarray(start, end)));
  });
  for (let at = 0; at < bytes.length; at += size) scanner.push(bytes.subarray(at, at + size));
  scanner.end();
  return records;
}

/** Text in which everything is that a reader of CSV must mind. */
const cells = fc.array(fc.constantFrom('a', '"', ',', '\r', '\n', ' ', 'é', '\ufeff', 'ﬁ'), { maxLength: 5 });

describe('the records of a CSV table', () => {
  it('are those that the reader of CSV reads, wherever the chunks end', () => {
    const rows = fc.array(fc.array(cells, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 9 }), fc.boolean(), (table, size, marked) => {
        const texts = table.map((row) => row.map((cell) => cell.join('')));
        const file = `${marked ? '\ufeff' : ''}${writeCsv(['x', 'y'], texts)}`;
        const [header = '', ...records] = recordsOf(file, 'csv', size);
        expect(records.map((record) => parseCsv(`${header}\n${record}`).rows[0])).toEqual(parseCsv(file).rows);
      }),
    );
  });

  it.each([
    ['x\r\n1\r\n\r\n2', ['x', '1', '2']],
    ['x\r1\r2\r', ['x', '1', '2']],
    ['\n\nx\n""\n1\n', ['x', '1']],
    ['x\na"b\nc\n', ['x', 'a"b', 'c']],
    ['x,y\n,\n"",""\n', ['x,y', ',', '"",""']],
    ['', []],
  ])('are counted in %j', (text, expected) => {
    expect(recordsOf(text, 'csv')).toEqual(expected);
    const [, ...rows] = expected;
    if (expected.length > 0) expect(parseCsv(text).rows).toHaveLength(rows.length);
  });
});

describe('the records of lines of JSON', () => {
  it('are the lines with something on them', () => {
    expect(recordsOf('\ufeff{"a":"\\n"}\r\n \t\r\n[1]\n\n3', 'ndjson')).toEqual(['{"a":"\\n"}\r', '[1]', '3']);
  });

  it('are what every path has that does not end in .csv', () => {
    expect(['/a.csv', '/a.CSV', '/a.jsonl', '/csv', '/a.csv.txt'].map(recordFormatOf)).toEqual([
      ...['csv', 'csv', 'ndjson', 'ndjson', 'ndjson'],
    ]);
  });
});

it('reads a cell as JSON writes numbers, true and false, and leaves everything else as it stands', () => {
  const texts = ['1', '-2.5e3', '1e300', '0', 'true', '', '007', '+1', '.5', '1e999', '9007199254740993', 'True', ' 1'];
  expect(texts.map(cellValue)).toEqual([
    ...[1, -2500, 1e300, 0, true, undefined, '007', '+1', '.5', '1e999', '9007199254740993', 'True', ' 1'],
  ]);
});
