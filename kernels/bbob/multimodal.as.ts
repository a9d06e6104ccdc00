// Multi-modal functions, f15–f20 and f23–f24 of RR-6829; the Gallagher functions are in gallagher.as.ts.
import { Problem } from './problem.as';
import { rastriginSum, shift } from './separable.as';
import { apply, get, oscillate, penalty, put, rounded, skew, stretch } from './transforms.as';
import { turn, turnAndCentre } from './unimodal.as';

/** Terms of the Weierstrass sum. */
const SUMMANDS: i32 = 12;
/** Depth of the Katsuura sum. */
const DEPTH: i32 = 32;

export function rotatedRastrigin(problem: Problem, x: usize): f64 {
  const z = turn(problem, x);
  oscillate(z, problem.d);
  skew(z, 0.2, problem.d);
  apply(problem.m, z, problem.a, problem.d);
  return rastriginSum(problem.a, problem.d);
}

/** Σₖ ½ᵏ·cos(2π·3ᵏ·y) */
function weierstrassSum(y: f64): f64 {
  let sum = 0.0;
  let size = 1.0;
  let frequency = 1.0;
  for (let k = 0; k < SUMMANDS; k++) {
    sum += size * Math.cos(2.0 * Math.PI * y * frequency);
    size *= 0.5;
    frequency *= 3.0;
  }
  return sum;
}

export function weierstrass(problem: Problem, x: usize): f64 {
  const z = turn(problem, x);
  oscillate(z, problem.d);
  apply(problem.m, z, problem.a, problem.d);
  let sum = 0.0;
  for (let i = 0; i < problem.d; i++) sum += weierstrassSum(get(problem.a, i) + 0.5);
  const mean = sum / <f64>problem.d - weierstrassSum(0.5);
  return 10.0 * mean * mean * mean + (10.0 / <f64>problem.d) * penalty(x, problem.d);
}

/** f17, and f18 with more conditioning. */
export function schaffers(problem: Problem, x: usize): f64 {
  const turned = turn(problem, x);
  skew(turned, 0.5, problem.d);
  const z = problem.a;
  apply(problem.q, turned, z, problem.d);
  stretch(z, problem.factors, problem.d);
  let sum = 0.0;
  for (let i = 0; i < problem.d - 1; i++) {
    const squared = get(z, i) * get(z, i) + get(z, i + 1) * get(z, i + 1);
    const wave = Math.sin(50.0 * Math.pow(squared, 0.1));
    sum += Math.sqrt(Math.sqrt(squared)) * (1.0 + wave * wave);
  }
  const mean = sum / <f64>(problem.d - 1);
  return mean * mean + 10.0 * penalty(x, problem.d);
}

export function griewankRosenbrock(problem: Problem, x: usize): f64 {
  const z = turnAndCentre(problem, x);
  let sum = 0.0;
  for (let i = 0; i < problem.d - 1; i++) {
    const bend = get(z, i) * get(z, i) - get(z, i + 1);
    const rest = get(z, i) - 1.0;
    const s = 100.0 * bend * bend + rest * rest;
    sum += s / 4000.0 - Math.cos(s);
  }
  return (10.0 * sum) / <f64>(problem.d - 1) + 10.0;
}

export function schwefel(problem: Problem, x: usize): f64 {
  const d = problem.d;
  const z = problem.a;
  for (let i = d - 1; i >= 0; i--) {
    const sign = get(problem.xopt, i) < 0.0 ? -2.0 : 2.0;
    let value = sign * get(x, i);
    if (i > 0) {
      const before = get(problem.xopt, i - 1);
      value += 0.25 * ((before < 0.0 ? -2.0 : 2.0) * get(x, i - 1) - 2.0 * Math.abs(before));
    }
    const centre = 2.0 * Math.abs(get(problem.xopt, i));
    put(z, i, get(problem.factors, i) * (value - centre) + centre);
  }
  let sum = 0.0;
  for (let i = 0; i < d; i++) {
    const value = 100.0 * get(z, i);
    sum += value * Math.sin(Math.sqrt(Math.abs(value)));
  }
  return 0.01 * (418.9828872724339 - sum / <f64>d) + 100.0 * penalty(z, d);
}

export function katsuura(problem: Problem, x: usize): f64 {
  const d = problem.d;
  const z = problem.b;
  apply(problem.m, shift(problem, x), z, d);
  const exponent = 10.0 / Math.pow(<f64>d, 1.2);
  let product = 1.0;
  for (let i = 0; i < d; i++) {
    let sum = 0.0;
    let scale = 2.0;
    for (let j = 0; j < DEPTH; j++) {
      const value = scale * get(z, i);
      sum += Math.abs(value - rounded(value)) / scale;
      scale *= 2.0;
    }
    product *= Math.pow(1.0 + <f64>(i + 1) * sum, exponent);
  }
  return (10.0 / <f64>d / <f64>d) * (product - 1.0) + penalty(x, d);
}

export function lunacekBiRastrigin(problem: Problem, x: usize): f64 {
  const d = problem.d;
  const mu0 = 2.5;
  const s = 1.0 - 0.5 / (Math.sqrt(<f64>(d + 20)) - 4.1);
  const mu1 = -Math.sqrt((mu0 * mu0 - 1.0) / s);
  const turned = problem.a;
  let near = 0.0;
  let far = 0.0;
  for (let i = 0; i < d; i++) {
    const hat = (get(problem.xopt, i) < 0.0 ? -2.0 : 2.0) * get(x, i);
    near += (hat - mu0) * (hat - mu0);
    far += (hat - mu1) * (hat - mu1);
    put(turned, i, hat - mu0);
  }
  apply(problem.m, turned, problem.b, d);
  let cosines = 0.0;
  for (let i = 0; i < d; i++) cosines += Math.cos(2.0 * Math.PI * get(problem.b, i));
  return min(near, <f64>d + s * far) + 10.0 * (<f64>d - cosines) + 1e4 * penalty(x, d);
}
