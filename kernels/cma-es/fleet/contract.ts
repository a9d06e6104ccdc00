import type { AcquisitionOptions } from '../../acquisition/index.ts';
import type { BuiltinName } from '../../bbob/contract.ts';
import type { MlpModel } from '../../mlp/index.ts';
import type { CmaOptions, StopReasons } from '../contract.ts';

/** What a run minimises. */
export type FleetObjective =
  /** A customary test function; see `BUILTIN_NAMES` of kernels/bbob. */
  | { readonly kind: 'function'; readonly name: BuiltinName }
  /**
   * An acquisition over the predictions of the fleet's ensemble, with the sign turned: its greatest score is the least value.
   * `thompson` needs `member`, the place of the member whose word counts.
   */
  | { readonly kind: 'acquisition'; readonly acquisition: AcquisitionOptions; readonly member?: number };

/** One run: where it begins, or where it was; and what it minimises. */
export type FleetRun = { readonly objective: FleetObjective } &
  /** `CMA_mirrors` is false by default here. */
  (
    | { readonly options: CmaOptions }
    /** Bytes of `CmaEs.snapshot` or `CmaFleet.snapshot`. */
    | { readonly snapshot: Uint8Array }
  );

export interface FleetOptions {
  /** At least one, all of the same dimension. Seeds, populations, bounds, tolerances and objectives may differ. */
  readonly runs: readonly FleetRun[];
  /** Members with one output; `acquisition` objectives need it. */
  readonly ensemble?: readonly MlpModel[];
}

/** What came of a run so far. */
export interface FleetResult {
  /** The best candidate, within the bounds. */
  readonly x: Float64Array;
  /** Its value by the WASM kernels in f64, whoever found it; +∞ before the first finite one. */
  readonly fun: number;
  readonly evaluations: number;
  readonly iterations: number;
  /** Why the run stopped, as `CmaEs.stop`; {} while it goes on. */
  readonly stop: StopReasons;
}

/** Many runs of CMA-ES that go on together. */
export interface CmaFleet {
  readonly backend: 'webgpu' | 'wasm';
  /** Why this backend, in a sentence. */
  readonly reason: string;
  /** Number of runs. */
  readonly size: number;
  /** Whether all runs have stopped. */
  readonly done: boolean;
  /**
   * Goes on for up to STEP_GENERATIONS generations: with all runs on a GPU, with the first that has not stopped in WASM. Does
   * nothing when all have stopped.
   */
  step(): Promise<void>;
  result(run: number): FleetResult;
  /** A run between two generations, for `CmaEs.resume`, or another fleet on either backend. */
  snapshot(run: number): Uint8Array;
  /** The exact value of x under a run's objective: f64, by the WASM kernels. */
  evaluate(run: number, x: ArrayLike<number>): number;
  /** Gives back what the fleet holds of the GPU; the device stays open. */
  close(): void;
}

/**
 * What f32 cannot tell apart counts as equal on a GPU, beside the options' own tolerances. Two values closer than `fun` of their
 * size end a run with `tolfun`, best values of late closer than `funhist` with `tolfunhist`; standard deviations below `x` of the
 * mean's size in every coordinate with `tolx`. `condition`: eigenvalues of C below this share of the largest are lifted to it, and
 * `tolconditioncov` is at most `conditionLimit`. The shader has the same numbers, in layout.wgsl.
 */
export const F32_FLOORS = {
  fun: 1 / 2097152,
  funhist: 1 / 4194304,
  x: 1 / 2097152,
  condition: 1e-7,
  conditionLimit: 5e6,
} as const;

/** Ratio of coordinate variances in C above which scales move out of C on a GPU. */
export const F32_ALLEVIATE_CONDITION = 1e4;

/** What the GPU takes; anything larger runs in WASM. */
export const FLEET_LIMITS = {
  /** d: C and B lie in a workgroup's 16 KiB. */
  dimension: 40,
  /** Operations of one generation of one run, roughly: more could trip a watchdog. */
  generationOperations: 2147483648,
  /** Operations of one dispatch, roughly: some tenths of a second on a software adapter, milliseconds on a GPU. */
  dispatchOperations: 134217728,
} as const;
