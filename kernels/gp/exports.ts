import type { Pointer } from '../runtime/index.ts';

/** Functions of gp.as.ts. `process` is the address that `gpNew` gave. */
export interface GpExports {
  gpNew(rows: number, dimension: number, covariance: number, training: number): Pointer;
  /** D rows of N numbers, N rounded up to a multiple of 4. */
  gpInputs(process: Pointer): Pointer;
  gpTargets(process: Pointer): Pointer;
  /** σ_f², σ_n², ℓ_1 … ℓ_D */
  gpParameters(process: Pointer): Pointer;
  gpGradient(process: Pointer): Pointer;
  gpMean(process: Pointer): number;
  gpLikelihood(process: Pointer): number;
  gpCovariance(process: Pointer): void;
  gpCondition(process: Pointer, fitMean: number, jitter: number): number;
  gpDifferentiate(process: Pointer): void;
  gpLeaveOneOut(process: Pointer, mean: Pointer, variance: Pointer): void;
  gpPredict(process: Pointer, x: Pointer, count: number, v: Pointer, mean: Pointer, variance: Pointer): void;
  gpPosterior(
    process: Pointer,
    x: Pointer,
    count: number,
    v: Pointer,
    z: Pointer,
    mean: Pointer,
    covariance: Pointer,
  ): void;
  gpFactorPosterior(covariance: Pointer, count: number, jitter: number, factor: Pointer): number;
  gpSample(factor: Pointer, count: number, mean: Pointer, z: Pointer, out: Pointer): void;
}

export const COVARIANCE_CODES = { matern52: 0, matern32: 1, rbf: 2 } as const;
