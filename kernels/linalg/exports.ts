/** Functions of gemm.as.ts; addresses are byte offsets of row-major f32 matrices. */
export interface LinalgExports {
  /** C[m×n] = A[m×k]·B[k×n]. */
  gemm(a: number, b: number, c: number, m: number, k: number, n: number): void;
  /** C[k×n] = Aᵀ[k×m]·B[m×n]. */
  gemmTransposed(a: number, b: number, c: number, m: number, k: number, n: number): void;
}
