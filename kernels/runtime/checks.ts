import { KernelInputError } from './errors.ts';

export interface Range {
  readonly min?: number;
  readonly max?: number;
  /** Whether `min` itself is refused. */
  readonly above?: boolean;
}

function describe(noun: string, { min, max, above }: Range): string {
  if (min !== undefined && max !== undefined) return `${noun} from ${min}${above ? ' (exclusive)' : ''} to ${max}`;
  if (min !== undefined) return above ? `${noun} > ${min}` : `${noun} ≥ ${min}`;
  return max === undefined ? noun : `${noun} ≤ ${max}`;
}

function within(value: number, { min = -Infinity, max = Infinity, above = false }: Range): boolean {
  return (above ? value > min : value >= min) && value <= max;
}

/** @throws KernelInputError unless `value` is a finite number in the range. */
export function requireNumber(field: string, value: unknown, range: Range = {}): number {
  if (typeof value === 'number' && Number.isFinite(value) && within(value, range)) return value;
  throw new KernelInputError(field, describe('a finite number', range), value);
}

/** @throws KernelInputError unless `value` is an integer that a double holds exactly, in the range. */
export function requireInteger(field: string, value: unknown, range: Range = {}): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && within(value, range)) return value;
  throw new KernelInputError(field, describe('an integer', range), value);
}

/** @throws KernelInputError unless `value` is one of `choices`. */
export function requireChoice<T extends string>(field: string, value: unknown, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new KernelInputError(field, `one of ${choices.join(', ')}`, value);
}

/** @throws KernelInputError unless `values` has `length` entries, all finite; names the first that is not. */
export function requireFiniteArray<T extends ArrayLike<number>>(field: string, values: T, length: number): T {
  if (values.length !== length) throw new KernelInputError(field, `${length} numbers`, values);
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(values[i])) throw new KernelInputError(`${field}[${i}]`, 'a finite number', values[i]);
  }
  return values;
}

/** Numbers to learn from are not greater than this, so that no square overflows. */
const MAX_MAGNITUDE = 1e100;

/** @throws KernelInputError unless `values` has rows×columns entries, all finite and of magnitude up to 1e100; names the first that is not. */
export function requireTable(field: string, values: Float64Array, rows: number, columns: number): Float64Array {
  requireFiniteArray(field, values, rows * columns);
  const large = values.findIndex((value) => Math.abs(value) > MAX_MAGNITUDE);
  if (large === -1) return values;
  throw new KernelInputError(`${field}[${large}]`, `a magnitude up to ${MAX_MAGNITUDE}`, values[large]);
}

/** @throws KernelInputError unless an array of the caller takes exactly `length` numbers. */
export function requireRoom(field: string, out: Float64Array, length: number): void {
  if (out.length !== length) throw new KernelInputError(field, `room for ${length} numbers`, out);
}

/** @param expected what the text should be. @throws KernelInputError unless `value` is a string. */
export function requireText(field: string, value: unknown, expected: string): string {
  if (typeof value === 'string') return value;
  throw new KernelInputError(field, expected, value);
}

/** @throws KernelInputError unless `value` is a plain object. */
export function requireRecord(field: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new KernelInputError(field, 'an object', value);
}
