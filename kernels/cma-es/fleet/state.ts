import { readSnapshot, requireInteger, requireRecord, writeSnapshot } from '../../runtime/index.ts';
import { stateVectors } from '../block.ts';
import { SCALAR } from '../layout.ts';
import type { Scalar } from '../layout.ts';
import type { ResolvedOptions } from '../options.ts';
import { packArrays, unpackArrays } from '../packing.ts';
import type { RunArrays } from '../packing.ts';
import { SNAPSHOT } from '../run.ts';
import type { Best } from '../run.ts';
import type { TerminationState } from '../termination.ts';
import { recentLength } from './layout.ts';
import type { FleetLayout } from './layout.ts';

/** The largest f32: stands for infinity on a GPU. */
const BIG = 3.4028234663852886e38;
const TWO_32 = 4294967296;

export const narrow = (value: number): number => Math.fround(Math.min(Math.max(value, -BIG), BIG));
export const widen = (value: number): number => (value >= BIG ? Infinity : value <= -BIG ? -Infinity : value);

/** Views of one run's record of the state. */
export interface RunRecord {
  readonly numbers: Float32Array;
  readonly counters: Uint32Array;
}

/** The GPU's names for vectors of a plain run, and for scalars. */
const VECTORS: Readonly<Record<string, string>> = {
  mean: 'N_MEAN',
  pc: 'N_PC',
  ps: 'N_PS',
  scale: 'N_SCALE',
  axes: 'N_AXES',
  bestX: 'N_BEST_X',
  anchor: 'N_ANCHOR',
};

const NUMBERS = {
  sigma: 'N_SIGMA',
  csDecay: 'N_CS_DECAY',
  bestFun: 'N_BEST_FUN',
  fitBest: 'N_FIT_BEST',
  fitWorst: 'N_FIT_WORST',
  fitMedian: 'N_FIT_MEDIAN',
  fitUpper: 'N_FIT_UPPER',
  stdMax: 'N_STD_MAX',
  growth: 'N_GROWTH',
  pathMax: 'N_PATH_MAX',
  axisMin: 'N_AXIS_MIN',
  axisMax: 'N_AXIS_MAX',
  anchorDistance: 'N_ANCHOR_DISTANCE',
} as const satisfies Partial<Record<Scalar, string>>;

const COUNTERS = {
  iterations: 'C_ITERATIONS',
  evaluations: 'C_EVALUATIONS',
  eigenAt: 'C_EIGEN_AT',
  bestAt: 'C_BEST_AT',
  allNan: 'C_ALL_NAN',
} as const satisfies Partial<Record<Scalar, string>>;

/** Keys of a table, as the names that they are. */
const scalarsOf = <Name extends Scalar>(table: Readonly<Record<Name, string>>): [Name, string][] =>
  Object.entries(table) as [Name, string][];

/** A snapshot of a run with a full C, opened. */
export interface OpenSnapshot {
  readonly bytes: Uint8Array;
  readonly options: ResolvedOptions;
  readonly stream: number;
  readonly arrays: RunArrays;
  readonly termination: TerminationState;
}

/** @throws KernelInputError on anything that CmaEs did not write, or with a diagonal C. */
export function openSnapshot(bytes: Uint8Array, options: ResolvedOptions): OpenSnapshot {
  const { state, arrays: list } = readSnapshot(bytes, SNAPSHOT.kernel, SNAPSHOT.version);
  const found = requireRecord('snapshot.counters', state.counters);
  const count = (name: string): number => requireInteger(`snapshot.counters.${name}`, found[name], { min: 0 });
  const arrays = unpackArrays(list, options, false);
  return {
    bytes,
    options,
    stream: requireInteger('snapshot.stream', state.stream, { min: 0 }),
    arrays,
    termination: { counters: { flat: count('flat'), anchored: count('anchored') }, histories: arrays.histories },
  };
}

/** Rounds a snapshot into a run's record, which is all zero. */
export function packState(snapshot: OpenSnapshot, layout: FleetLayout, { numbers, counters }: RunRecord): void {
  const { options, arrays, termination } = snapshot;
  const { dimension: d, popsize } = options;
  const { scalars, covariance, eigenvectors, vectors } = arrays.run;
  const scalar = (name: Scalar): number => scalars[SCALAR[name]] ?? NaN;
  const put = (field: string, values: ArrayLike<number>): void => {
    numbers.set(Float32Array.from(values, narrow), layout.at(field));
  };
  const count = (field: string, value: number): void => {
    counters[layout.at(field)] = value;
  };
  for (const [name, field] of scalarsOf(NUMBERS)) put(field, [scalar(name)]);
  for (const [name, field] of scalarsOf(COUNTERS)) count(field, scalar(name));
  stateVectors(options).forEach((name, index) => put(VECTORS[name] ?? '', vectors[index] ?? []));
  const square = new Float64Array(d * d);
  for (let i = 0; i < d; i++) square.set(covariance.subarray((i * (i + 1)) / 2, (i * (i + 3)) / 2 + 1), i * d);
  put('N_COVARIANCE', square);
  put('N_VECTORS', eigenvectors);
  const position = scalar('position');
  count('C_POSITION', position % TWO_32);
  count('C_POSITION_HIGH', Math.floor(position / TWO_32));
  const [recent, , , extremes] = arrays.histories;
  const kept = recent.slice(-recentLength(d, popsize));
  put('N_RECENT', kept);
  put('N_FIRST_MEDIAN', [extremes[0] ?? NaN]);
  put('N_LEAST_MEDIAN', [extremes[1] ?? Infinity]);
  count('C_REMEMBERED', kept.length);
  count('C_FLAT', termination.counters.flat);
  count('C_ANCHORED', termination.counters.anchored);
}

/** What a record cannot say by itself. */
export interface Context {
  readonly layout: FleetLayout;
  readonly termination: TerminationState;
  readonly best: Best;
  readonly reasons: Record<string, number>;
}

/**
 * A run's record as a snapshot. What the GPU does not change comes from an earlier snapshot of the same run. Axes are put in
 * ascending order, as the WASM version has them.
 */
export function unpackState(record: RunRecord, earlier: OpenSnapshot, context: Context): Uint8Array {
  const { layout, termination, best, reasons } = context;
  const { dimension: d } = earlier.options;
  const { state } = readSnapshot(earlier.bytes, SNAPSHOT.kernel, SNAPSHOT.version);
  const scalars = earlier.arrays.run.scalars.slice();
  const set = (name: Scalar, value: number): void => {
    scalars[SCALAR[name]] = value;
  };
  const count = (field: string): number => record.counters[layout.at(field)] ?? 0;
  const vector = (field: string, length = d): Float64Array =>
    Float64Array.from(record.numbers.subarray(layout.at(field), layout.at(field) + length), widen);
  const index = (field: string): number => (count(field) < d ? count(field) : -1);
  for (const [name, field] of scalarsOf(NUMBERS)) set(name, vector(field, 1)[0] ?? NaN);
  for (const [name, field] of scalarsOf(COUNTERS)) set(name, count(field));
  set('position', count('C_POSITION') + TWO_32 * count('C_POSITION_HIGH'));
  set('bestFun', best.fun);
  set('deafCoordinate', index('C_DEAF_COORDINATE'));
  set('deafAxis', index('C_DEAF_AXIS'));
  const covariance = new Float64Array((d * (d + 1)) / 2);
  const square = vector('N_COVARIANCE', d * d);
  for (let i = 0; i < d; i++) covariance.set(square.subarray(i * d, i * d + i + 1), (i * (i + 1)) / 2);
  const axes = vector('N_AXES');
  const order = [...axes.keys()].sort((a, b) => (axes[a] ?? NaN) - (axes[b] ?? NaN) || a - b);
  const rows = vector('N_VECTORS', d * d);
  const eigenvectors = new Float64Array(d * d);
  order.forEach((from, to) => eigenvectors.set(rows.subarray(from * d, (from + 1) * d), to * d));
  const vectors = stateVectors(earlier.options).map((name) => {
    if (name === 'axes') return axes.slice().sort();
    return name === 'bestX' && best.evaluations > 0 ? Float64Array.from(best.x) : vector(VECTORS[name] ?? '');
  });
  const run = { ...earlier.arrays.run, scalars, covariance, eigenvectors, vectors };
  const arrays = packArrays({ ...earlier.arrays, run, histories: termination.histories });
  return writeSnapshot({
    ...SNAPSHOT,
    state: { ...state, asked: false, counters: termination.counters, reasons },
    arrays,
  });
}
