// Separable functions, f1–f5 of RR-6829.
import { Problem } from './problem.as';
import { get, oscillate, penalty, put, skew, squares, stretch } from './transforms.as';

/** a = x − x_opt */
export function shift(problem: Problem, x: usize): usize {
  for (let i = 0; i < problem.d; i++) put(problem.a, i, get(x, i) - get(problem.xopt, i));
  return problem.a;
}

/** 10·(D − Σ cos 2πzᵢ) + ‖z‖² */
export function rastriginSum(z: usize, d: i32): f64 {
  let cosines = 0.0;
  for (let i = 0; i < d; i++) cosines += Math.cos(2.0 * Math.PI * get(z, i));
  return 10.0 * (<f64>d - cosines) + squares(z, 0, d);
}

/** Σ factorᵢ·zᵢ² */
export function weightedSquares(z: usize, factors: usize, d: i32): f64 {
  let sum = 0.0;
  for (let i = 0; i < d; i++) sum += get(factors, i) * get(z, i) * get(z, i);
  return sum;
}

export function sphere(problem: Problem, x: usize): f64 {
  return squares(shift(problem, x), 0, problem.d);
}

export function ellipsoid(problem: Problem, x: usize): f64 {
  const z = shift(problem, x);
  oscillate(z, problem.d);
  return weightedSquares(z, problem.factors, problem.d);
}

export function rastrigin(problem: Problem, x: usize): f64 {
  const z = shift(problem, x);
  oscillate(z, problem.d);
  skew(z, 0.2, problem.d);
  stretch(z, problem.factors, problem.d);
  return rastriginSum(z, problem.d);
}

export function bucheRastrigin(problem: Problem, x: usize): f64 {
  const z = shift(problem, x);
  oscillate(z, problem.d);
  for (let i = 0; i < problem.d; i++) {
    const value = get(z, i);
    const factor = get(problem.factors, i) * (value > 0.0 && i % 2 == 0 ? 10.0 : 1.0);
    put(z, i, factor * value);
  }
  return rastriginSum(z, problem.d) + 100.0 * penalty(x, problem.d);
}

export function linearSlope(problem: Problem, x: usize): f64 {
  let sum = 0.0;
  for (let i = 0; i < problem.d; i++) {
    const corner = get(problem.xopt, i);
    const slope = get(problem.factors, i);
    const reached = get(x, i) * corner < 25.0 ? get(x, i) : corner;
    sum += 5.0 * slope - (corner > 0.0 ? slope : -slope) * reached;
  }
  return sum;
}
