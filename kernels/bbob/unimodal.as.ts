// Functions with low or moderate conditioning, f6–f9, and ill-conditioned ones, f10–f14, of RR-6829.
import { Problem } from './problem.as';
import { shift, weightedSquares } from './separable.as';
import { apply, get, oscillate, oscillated, penalty, put, rounded, share, skew, squares } from './transforms.as';

export function attractiveSector(problem: Problem, x: usize): f64 {
  const z = problem.b;
  apply(problem.m, shift(problem, x), z, problem.d);
  let sum = 0.0;
  for (let i = 0; i < problem.d; i++) {
    const value = get(z, i) * (get(z, i) * get(problem.xopt, i) > 0.0 ? 100.0 : 1.0);
    sum += value * value;
  }
  return Math.pow(oscillated(sum), 0.9);
}

export function stepEllipsoid(problem: Problem, x: usize): f64 {
  const d = problem.d;
  const z = problem.b;
  apply(problem.q, shift(problem, x), z, d);
  let first = 0.0;
  for (let i = 0; i < d; i++) {
    const value = get(problem.factors, i) * get(z, i);
    if (i == 0) first = value;
    put(z, i, Math.abs(value) > 0.5 ? rounded(value) : rounded(10.0 * value) / 10.0);
  }
  apply(problem.r, z, problem.a, d);
  let sum = 0.0;
  for (let i = 0; i < d; i++) sum += Math.pow(100.0, share(i, d)) * get(problem.a, i) * get(problem.a, i);
  return 0.1 * max(Math.abs(first) * 1e-4, sum) + penalty(x, d);
}

/** Σ 100·(zᵢ² − zᵢ₊₁)² + (zᵢ − 1)² */
function rosenbrockSum(z: usize, d: i32): f64 {
  let valley = 0.0;
  let slope = 0.0;
  for (let i = 0; i < d - 1; i++) {
    const bend = get(z, i) * get(z, i) - get(z, i + 1);
    const rest = get(z, i) - 1.0;
    valley += bend * bend;
    slope += rest * rest;
  }
  return 100.0 * valley + slope;
}

function dimensionFactor(d: i32): f64 {
  return max(1.0, Math.sqrt(<f64>d) / 8.0);
}

export function rosenbrock(problem: Problem, x: usize): f64 {
  const z = shift(problem, x);
  const factor = dimensionFactor(problem.d);
  for (let i = 0; i < problem.d; i++) put(z, i, factor * get(z, i) + 1.0);
  return rosenbrockSum(z, problem.d);
}

/** b = max(1, √D/8)·R·x + ½ */
export function turnAndCentre(problem: Problem, x: usize): usize {
  const factor = dimensionFactor(problem.d);
  apply(problem.q, x, problem.b, problem.d);
  for (let i = 0; i < problem.d; i++) put(problem.b, i, factor * get(problem.b, i) + 0.5);
  return problem.b;
}

export function rotatedRosenbrock(problem: Problem, x: usize): f64 {
  return rosenbrockSum(turnAndCentre(problem, x), problem.d);
}

/** b = R·(x − x_opt) */
export function turn(problem: Problem, x: usize): usize {
  apply(problem.r, shift(problem, x), problem.b, problem.d);
  return problem.b;
}

export function rotatedEllipsoid(problem: Problem, x: usize): f64 {
  const z = turn(problem, x);
  oscillate(z, problem.d);
  return weightedSquares(z, problem.factors, problem.d);
}

export function discus(problem: Problem, x: usize): f64 {
  const z = turn(problem, x);
  oscillate(z, problem.d);
  return 1e6 * get(z, 0) * get(z, 0) + squares(z, 1, problem.d);
}

export function bentCigar(problem: Problem, x: usize): f64 {
  const turned = turn(problem, x);
  skew(turned, 0.5, problem.d);
  const z = problem.a;
  apply(problem.r, turned, z, problem.d);
  return get(z, 0) * get(z, 0) + 1e6 * squares(z, 1, problem.d);
}

export function sharpRidge(problem: Problem, x: usize): f64 {
  const z = problem.b;
  apply(problem.m, shift(problem, x), z, problem.d);
  return get(z, 0) * get(z, 0) + 100.0 * Math.sqrt(squares(z, 1, problem.d));
}

export function differentPowers(problem: Problem, x: usize): f64 {
  const z = turn(problem, x);
  let sum = 0.0;
  for (let i = 0; i < problem.d; i++) sum += Math.pow(Math.abs(get(z, i)), 2.0 + 4.0 * share(i, problem.d));
  return Math.sqrt(sum);
}
