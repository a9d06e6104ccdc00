/** Per-variable bounds; null or an infinite number leaves a side open. Each side one number for all, or d of them. */
export interface Bounds {
  readonly lower: number | null | readonly (number | null)[];
  readonly upper: number | null | readonly (number | null)[];
}

/**
 * One run of CMA-ES. Names, meanings and defaults are pycma's (version 4.5), apart from the first four, from the default of
 * `CMA_mirrors`, and from `cov` and `lr_adapt`, which are CyberAgent's `cmaes`'. In defaults, d is the number of variables that are
 * not fixed and λ the population size.
 */
export interface CmaOptions {
  /** d, 1 … 2,000; up to 100,000 with `CMA_diagonal: true`. */
  readonly dimension: number;
  /** Where the search begins: d numbers, within the bounds. */
  readonly x0: readonly number[];
  /** Initial standard deviation, above 0; the optimum should lie within about x0 ± 3·sigma0. */
  readonly sigma0: number;
  /** Of all randomness, 0 … 2⁵³ − 1. */
  readonly seed: number;
  /** Feasible box; without it every point is feasible. Nothing outside is ever asked for. */
  readonly bounds?: Bounds;
  /**
   * How bounds are kept. `BoundTransform` bends the space at the bounds. `BoundPenalty` cuts candidates off at the bounds
   * and adds a penalty on how far outside they were drawn to their values, weighed against the spread of the values
   * (Hansen et al. 2009, doi:10.1109/TEVC.2008.924423, appendix). Default `BoundTransform`.
   */
  readonly BoundaryHandler?: 'BoundTransform' | 'BoundPenalty';
  /** Values of variables that are not searched, by index: `{ 0: 1.5 }`. At least one variable stays free. Default none. */
  readonly fixed_variables?: Readonly<Record<number, number>>;
  /**
   * Indices of variables that take whole numbers: candidates are rounded, and the chance to leave the present number never
   * falls below 1/(d·λ) (CMA-ES with margin, Hamano et al., arXiv:2205.13482). Default none.
   */
  readonly integer_variables?: readonly number[];
  /** λ, candidates of a generation, at least 2. Default ⌊4 + 3 ln d⌋. */
  readonly popsize?: number;
  /** Learn from the worse half too, by negative weights. Default true. */
  readonly CMA_active?: boolean;
  /** Learn variances only: always, or for this many first iterations. Default false. */
  readonly CMA_diagonal?: boolean | number;
  /** Factors of sigma0 by coordinate. Default 1. */
  readonly CMA_stds?: readonly number[];
  /**
   * First C, d×d, symmetric and positive definite: with x0 and sigma0 the distribution that an earlier run ended with
   * (`distribution()`) or that solutions suggest (`warmStart`). A further run of a sequence begins without it. Default I.
   */
  readonly cov?: readonly (readonly number[])[];
  /**
   * Candidates that mirror others: below 0.5 a share of λ, above 0.5 a number of at most λ/2; true stands for about a
   * sixth. Default: true from λ = 3 on, false with `lr_adapt`. pycma has true for λ < 6 only; searches are shorter with it.
   */
  readonly CMA_mirrors?: number | boolean;
  /**
   * Which are mirrored. 0: any, and only the better one of a pair is selected. 2: the worst of the last generation. pycma's
   * 1 needs values while it draws, which ask and tell do not have. Default 2.
   */
  readonly CMA_mirrormethod?: 0 | 2;
  /**
   * true: the best point so far takes part in every selection. `initial`: x0 is evaluated as the first candidate and takes
   * part as long as nothing in a generation is better. Neither is evaluated again. Default false; true
   * in sequences of runs without `lr_adapt`: values with noise want false there.
   */
  readonly CMA_elitist?: boolean | 'initial';
  /**
   * Learning rates of mean and covariance follow the signal-to-noise ratio of their steps (LRA-CMA-ES, Nomura et al.,
   * arXiv:2304.03473): for noisy or multimodal functions with the default λ. C is decomposed every time. Default false.
   */
  readonly lr_adapt?: boolean;
  /** Multiplier of the damping of the step size. Default 1. */
  readonly CSA_dampfac?: number;
  /** Least standard deviation of a coordinate, one for all or d of them. Default 0. */
  readonly minstd?: number | readonly number[];
  /** Greatest standard deviation of a coordinate, one for all or d of them. Default `maxstd_boundrange`. */
  readonly maxstd?: number | readonly number[];
  /** `maxstd` in units of upper − lower, where both are finite. Default 1/3. */
  readonly maxstd_boundrange?: number;
  /** Iterations from one eigendecomposition of C to the next. Default: λ/2 / (d·(c1 + cμ)) evaluations. */
  readonly updatecovwait?: number;
  /** Stop at this value. Default: never. */
  readonly ftarget?: number;
  /** Stop when the next generation would go beyond this many evaluations; the first is always evaluated. Default: never. */
  readonly maxfevals?: number;
  /** Iterations. Default 100 + ⌊150·(d + 3)² / √λ⌋. */
  readonly maxiter?: number;
  /** Stop when the values of a generation, and the best ones of late, lie within this range. Default 1e-11. */
  readonly tolfun?: number;
  /** Stop when the best values of the last 10 + ⌈30·d/λ⌉ generations lie within this range. Default 1e-12. */
  readonly tolfunhist?: number;
  /** Stop when a generation's range is below this share of how far the median has come down. Default 0: never. */
  readonly tolfunrel?: number;
  /** Stop when the standard deviations and the evolution path are below this in every coordinate. Default 1e-11. */
  readonly tolx?: number;
  /** Stop when a standard deviation has grown by this factor: sigma0 was far too small. Default 1e3. */
  readonly tolfacupx?: number;
  /** Stop when σ has grown by this factor beyond the longest axis of C. Default 1e20; 0: never. */
  readonly tolupsigma?: number;
  /** Stop when the condition number of C is above. Default 1e14; 0: never. */
  readonly tolconditioncov?: number;
  /**
   * Iterations with a flat generation (best equal to the upper quartile) that are put up with. Default 1; with whole
   * numbers 10 + ⌈30·d/λ⌉.
   */
  readonly tolflatfitness?: number;
  /** Stop when nothing improved over this many iterations. Default ⌊100 + 100·d^1.5/λ⌋; 0: never. */
  readonly tolstagnation?: number;
  /** Stop when the mean stays within [δ] for [n + r·iterations] iterations: [δ, n, r]. Default [1e-9, 20, 0.1]; false: never. */
  readonly tolxstagnation?: readonly [number, number, number] | false;
}

/**
 * Iterations in a row in which every value may be NaN. Such a generation is counted but teaches nothing, and the next one
 * is drawn from the same distribution; after this many the run stops with `allnan`.
 */
export const ALL_NAN_ITERATIONS = 10;

/**
 * Why a run stopped: pycma's names, and `allnan`; in sequences of runs also `tolbehind`. Each comes with the threshold that
 * was passed, or the index it concerns. Of pycma's there are not `timeout`, since nothing here reads a clock, and
 * `callback`, since whoever asks and tells may stop at will.
 */
export type StopReasons = Record<string, number>;

/** Sequences of runs. */
export interface RestartOptions {
  /**
   * `none`: one run. `ipop`: each further run with twice the population (Auger and Hansen 2005). `bipop`: large
   * populations and local searches with small ones by turns, each regime with the same budget (Hansen 2009, as in pycma).
   */
  readonly restarts: 'none' | 'ipop' | 'bipop';
  /** Evaluations of all runs together, at least 1. No generation begins that would go beyond, except the very first. */
  readonly maxEvaluations: number;
  /** Stop at this value. */
  readonly target?: number;
  /** Doublings of the population at most. Default 9. */
  readonly maxRestarts?: number;
  /**
   * A further run stops when the values of its last generation, and its best ones of late, lie within this share of what
   * it is still behind the best of earlier runs: it converges to something worse. Default 0.5; 0: never.
   */
  readonly tolbehind?: number;
  /**
   * Where further runs begin: at x0, or anywhere (uniformly) within the bounds or within a box inside the bounds. All of
   * these must be finite then. Default `x0`.
   */
  readonly restartFrom?: 'x0' | 'bounds' | Bounds;
}

export const LIMITS = {
  dimension: 2000,
  diagonalDimension: 100_000,
  popsize: 1_000_000,
  /** λ·d */
  populationNumbers: 1 << 24,
  restarts: 30,
} as const;

/** How far the fast version may be from the reference, on `generations` generations from the same random numbers. */
export const TOLERANCE = { generations: 40, relative: 1e-9 } as const;

/** Ratio of coordinate variances in C above which scales move out of C (pycma's `conditioncov_alleviate`). */
export const ALLEVIATE_CONDITION = 1e8;
