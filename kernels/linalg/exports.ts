/** Functions of gemm.as.ts on row-major f32 matrices, and those of panels.as.ts that they are made of. Addresses are byte offsets. */
export interface LinalgExports {
  /** C[m×n] = A[m×k]·B[k×n]. */
  gemm(a: number, b: number, c: number, m: number, k: number, n: number): void;
  /** C[k×n] = Aᵀ[k×m]·B[m×n]. */
  gemmTransposed(a: number, b: number, c: number, m: number, k: number, n: number): void;
  /** C[rows×8] = start + X[rows×k]·Y[k×8]: see panels.as.ts for the layouts. */
  multiplyPanel(x: number, quadBytes: number, rows: number, k: number, y: number, start: number, c: number): void;
  /** C[k×8] = Xᵀ[k×rows]·Y[rows×8]. */
  multiplyTransposedPanel(x: number, panelBytes: number, rows: number, k: number, y: number, c: number): void;
}
