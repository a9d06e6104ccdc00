import { distinctRows, numericColumns, parseCsv, writeCsv } from '../../../kernels/csv/index.ts';
import type { KernelCases } from './case.ts';
import { uniform } from './data.ts';

const numbers = uniform(600, -1, 1, 6);
/** Numbers of many magnitudes, as they are and rounded by a text with few digits. */
const rows = Array.from({ length: 200 }, (_, i) => {
  const [a, b, c] = [numbers[3 * i] ?? 0, numbers[3 * i + 1] ?? 0, numbers[3 * i + 2] ?? 0];
  return [a * 1e-200, b * 1e90, String(c).slice(0, 5), i % 7 === 0 ? null : `note "${i}"`] as const;
});

export const csvCases: KernelCases = {
  'writing, reading, numbers': () => {
    const text = writeCsv(['tiny', 'huge', 'short', 'note'], rows);
    const table = parseCsv(new TextEncoder().encode(text));
    return [text, numericColumns(table, ['huge', 'tiny', 'short']).values];
  },
  'equal rows': () => {
    const table = { names: ['x', 'y'], rows: 300, values: numbers.map((value) => Math.round(4 * value) / 3) };
    const { first, kind } = distinctRows(table);
    return [first, Array.from(kind)];
  },
};
