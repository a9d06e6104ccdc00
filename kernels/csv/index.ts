export { parseCsv } from './parse.ts';
export type { CsvTable } from './parse.ts';
export { distinctRows, maxMagnitude, numericColumns, rowKey, rowOf } from './numeric.ts';
export type { Distinct, NumericTable } from './numeric.ts';
export { writeCsv } from './write.ts';
