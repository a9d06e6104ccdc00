/** What a model says of N points: each array has N×K numbers, row by row. */
export interface Predictions {
  readonly mean: Float64Array;
  readonly std: Float64Array;
  /** What each member says; worked out when it is first asked for. */
  readonly members: () => readonly Float64Array[];
}

/** A trained model of one kind, before the calibration of its spread. */
export interface Predictor {
  /** Number of members. */
  readonly size: number;
  /** Of each input over the rows that it learnt from; `scale` is the standard deviation, or 1 where that is 0. */
  readonly inputs: InputStatistics;
  /** @param x N×D, row by row. */
  predict(x: Float64Array, rows: number): Predictions;
}

export interface InputStatistics {
  readonly mean: readonly number[];
  readonly scale: readonly number[];
}

/** Puts off what may not be needed, and does it once. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
