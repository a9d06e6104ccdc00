/** Vectors and matrices of the references: plain arrays, rows first. */

export type Matrix = number[][];

/** C = B·D²·Bᵀ: B has the eigenvectors as columns, D their lengths in ascending order. */
export interface Axes {
  readonly B: Matrix;
  readonly D: number[];
}

export const at = (vector: readonly number[], i: number): number => vector[i] ?? NaN;
export const entry = (matrix: readonly (readonly number[])[], i: number, j: number): number => matrix[i]?.[j] ?? NaN;
export const indices = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
export const norm = (x: readonly number[]): number => Math.sqrt(x.reduce((sum, value) => sum + value ** 2, 0));
export const times = (A: Matrix, x: readonly number[]): number[] =>
  A.map((row) => row.reduce((sum, value, j) => sum + value * at(x, j), 0));
export const identity = (n: number): Matrix => indices(n).map((i) => indices(n).map((j) => (i === j ? 1 : 0)));

/**
 * Eigenvalues (ascending) and eigenvectors (columns) of a symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan,
 * Matrix Computations, section 8.5): each rotation makes one off-diagonal entry zero.
 */
export function jacobi(symmetric: Matrix): { values: number[]; vectors: Matrix } {
  const n = symmetric.length;
  const A = symmetric.map((row) => [...row]);
  const V = identity(n);
  const turn = (M: Matrix, p: number, q: number, c: number, s: number): void => {
    for (const row of M) {
      const [x, y] = [at(row, p), at(row, q)];
      row[p] = c * x - s * y;
      row[q] = s * x + c * y;
    }
  };
  const transposed = (M: Matrix): Matrix => indices(n).map((i) => indices(n).map((j) => entry(M, j, i)));
  let rotations = 1;
  while (rotations > 0) {
    rotations = 0;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(entry(A, p, q)) <= 1e-18 * (Math.abs(entry(A, p, p)) + Math.abs(entry(A, q, q)))) continue;
        rotations += 1;
        const tau = (entry(A, q, q) - entry(A, p, p)) / (2 * entry(A, p, q));
        const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.sqrt(1 + tau ** 2));
        const c = 1 / Math.sqrt(1 + t ** 2);
        turn(A, p, q, c, t * c);
        const turned = transposed(A);
        turn(turned, p, q, c, t * c);
        transposed(turned).forEach((row, i) => {
          A[i] = row;
        });
        turn(V, p, q, c, t * c);
      }
    }
  }
  const order = indices(n).sort((a, b) => entry(A, a, a) - entry(A, b, b));
  return { values: order.map((k) => entry(A, k, k)), vectors: V.map((row) => order.map((k) => at(row, k))) };
}
