import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelInputError } from '../../../kernels/index.ts';
import { distinctRows, numericColumns, parseCsv, rowOf, writeCsv } from '../../../kernels/csv/index.ts';

describe('parseCsv', () => {
  it('reads the header and the rows', () => {
    expect(parseCsv('a,b\n1,2\n3,4\n')).toEqual({
      header: ['a', 'b'],
      rows: [
        ['1', '2'],
        ['3', '4'],
      ],
    });
  });

  it.each([
    ['CRLF', 'a,b\r\n1,2\r\n'],
    ['CR', 'a,b\r1,2\r'],
    ['no line end after the last row', 'a,b\n1,2'],
    ['a byte order mark', '\ufeffa,b\n1,2\n'],
    ['empty lines', '\n\na,b\n\n1,2\n\n'],
    ['quoted fields', '"a","b"\n"1","2"\n'],
  ])('reads a file with %s alike', (_, text) => {
    const expected = { header: ['a', 'b'], rows: [['1', '2']] };
    expect(parseCsv(text)).toEqual(expected);
    expect(parseCsv(new TextEncoder().encode(text))).toEqual(expected);
  });

  it('keeps commas, line ends and quotation marks inside quoted fields', () => {
    expect(parseCsv('name\n"a, ""b""\r\nc"\n').rows).toEqual([['a, "b"\r\nc']]);
  });

  it('keeps empty fields, the last one too', () => {
    expect(parseCsv('a,b,c\n,,\n1,,\n').rows).toEqual([
      ['', '', ''],
      ['1', '', ''],
    ]);
  });

  it.each([
    ['', 'csv: expected a header line'],
    ['a,a\n1,2', 'row 1, column 2: expected column names that differ, got "a".'],
    ['a,b\n1,2\n3\n', 'row 3: expected 2 fields, as in the header, got an array of 1.'],
    ['a,b\n1,"2\n', 'row 2, column 2: expected a closing quotation mark'],
    ['a,b\n"1"x,2\n', 'row 2, column 1: expected a comma or a line end after the closing quotation mark, got "x".'],
  ])('refuses %j', (text, message) => {
    expect(() => parseCsv(text)).toThrow(KernelInputError);
    expect(() => parseCsv(text)).toThrow(message);
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(() => parseCsv(Uint8Array.of(97, 44, 0xff))).toThrow('csv: expected text in UTF-8');
  });
});

describe('writeCsv', () => {
  it('quotes what needs it and leaves null empty', () => {
    expect(
      writeCsv(
        ['a', 'b "c"'],
        [
          [1.5, 'x,y'],
          [null, ' z'],
        ],
      ),
    ).toBe('a,"b ""c"""\r\n1.5,"x,y"\r\n," z"\r\n');
  });

  it('writes what parseCsv reads back, bit by bit', () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 5 });
    const double = fc.double({ noNaN: true, min: -1e100, max: 1e100 });
    fc.assert(
      fc.property(
        names.chain((header) =>
          fc.tuple(
            fc.constant(header),
            fc.array(fc.array(double, { minLength: header.length, maxLength: header.length })),
          ),
        ),
        ([header, rows]) => {
          const table = numericColumns(parseCsv(writeCsv(header, rows)), header);
          expect(Array.from({ length: table.rows }, (_, row) => [...rowOf(table, row)])).toEqual(
            rows.map((row) => row.map((value) => value + 0)),
          );
        },
      ),
    );
  });
});

describe('numericColumns', () => {
  const table = parseCsv('name,x,y\np, 1 ,-2.5e1\nq,.5,+3\n');

  it('gives the named columns in the order asked for', () => {
    expect([...numericColumns(table, ['y', 'x']).values]).toEqual([-25, 1, 3, 0.5]);
  });

  it('names the columns there are when one is missing', () => {
    expect(() => numericColumns(table, ['z'])).toThrow('column "z": expected one of the columns "name", "x", "y"');
  });

  it.each(['', 'NaN', 'inf', '0x10', '1_000', '1e999', 'abc', '1 2'])('names row and column of the cell %j', (text) => {
    const broken = parseCsv(`a,b\n1,2\n3,"${text}"\n`);
    expect(() => numericColumns(broken, ['a', 'b'])).toThrow('row 3, column "b": expected a finite number');
  });
});

describe('distinctRows', () => {
  it('takes rows of equal numbers together, however they are written', () => {
    const table = numericColumns(parseCsv('a,b\n1,0\n2,0\n1.0,-0\n2,1\n'), ['a', 'b']);
    expect(distinctRows(table)).toEqual({ first: [0, 1, 3], kind: Int32Array.of(0, 1, 0, 2) });
  });
});
