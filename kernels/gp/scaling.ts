/** A column whose spread is below this part of its largest magnitude is rounding noise around a constant. */
const CONSTANT_BELOW = 1e-12;

/** Scaled inputs are held within these bounds, so that distances stay finite. */
const MAX_SCALED = 1e6;

/** z = (x − offset)/scale, column by column. */
export interface Scaling {
  readonly offset: number[];
  readonly scale: number[];
  /** Columns that vary; the others have the scale 1. */
  readonly varies: boolean[];
}

function column(table: Float64Array, columns: number, index: number): Float64Array {
  return Float64Array.from({ length: table.length / columns }, (_, row) => table[row * columns + index] ?? 0);
}

const largestOf = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function collect(
  columns: number,
  each: (index: number) => readonly [offset: number, spread: number, size: number],
): Scaling {
  const scaling: Scaling = { offset: [], scale: [], varies: [] };
  for (let index = 0; index < columns; index++) {
    const [offset, spread, size] = each(index);
    const varies = spread > CONSTANT_BELOW * size;
    scaling.offset.push(offset);
    scaling.scale.push(varies ? spread : 1);
    scaling.varies.push(varies);
  }
  return scaling;
}

/** To the unit box. */
export function boxScaling(table: Float64Array, columns: number): Scaling {
  return collect(columns, (index) => {
    const values = column(table, columns, index);
    const least = values.reduce((a, b) => Math.min(a, b), Infinity);
    const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
    return [least, most - least, largestOf(values)];
  });
}

/** To mean 0 and population standard deviation 1. */
export function standardScaling(table: Float64Array, columns: number): Scaling {
  return collect(columns, (index) => {
    const values = column(table, columns, index);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
    return [mean, Math.sqrt(squares / values.length), largestOf(values)];
  });
}

/** Scaled value of one entry of a column. */
export function scaled(value: number, { offset, scale }: Scaling, index: number): number {
  const z = (value - (offset[index] ?? 0)) / (scale[index] ?? 1);
  return Math.min(Math.max(z, -MAX_SCALED), MAX_SCALED);
}
