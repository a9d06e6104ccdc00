/**
 * Minimises a smooth function within a box by limited-memory BFGS on the variables that are free to move (Nocedal & Wright,
 * Numerical Optimization, 2006, algorithm 7.4; variables at a bound that the gradient pushes outwards stay, and steps are
 * projected, after Bertsekas, SIAM J. Control Optim. 20(2), 1982). Plain data and arithmetic, so that it stops and goes on
 * between any two iterations.
 */

export interface Evaluation {
  /** Infinite where the function has no value. */
  readonly value: number;
  readonly gradient: Float64Array;
}

export interface Box {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

export interface Descent extends Evaluation {
  readonly x: Float64Array;
  /** Differences of x and of the gradient, oldest first. */
  readonly steps: readonly Float64Array[];
  readonly changes: readonly Float64Array[];
  readonly iteration: number;
  readonly done: boolean;
}

export const MEMORY = 10;
/** The customary end of L-BFGS-B: the projected gradient, and the relative decrease (1e7 rounding units). */
const GRADIENT_TOLERANCE = 1e-5;
const DECREASE_TOLERANCE = 2.2e-9;
/** Longest step in one variable: variables are logarithms, and far away the function is flat. */
const MAX_STEP = 3;
const SUFFICIENT_DECREASE = 1e-4;
const MAX_TRIALS = 20;

const at = (values: Float64Array, i: number): number => values[i] ?? 0;

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += at(a, i) * at(b, i);
  return sum;
}

const largest = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

const clip = (x: Float64Array, { lower, upper }: Box): Float64Array =>
  x.map((value, i) => Math.min(Math.max(value, at(lower, i)), at(upper, i)));

/** The gradient where x may follow it, 0 elsewhere. */
function freeGradient(x: Float64Array, gradient: Float64Array, { lower, upper }: Box): Float64Array {
  return gradient.map((g, i) => {
    const held = g > 0 ? at(x, i) <= at(lower, i) : at(x, i) >= at(upper, i);
    return held ? 0 : g;
  });
}

/** −H·g by the two-loop recursion on the free variables; pairs without positive curvature there do not count. */
function direction({ steps, changes }: Descent, free: Float64Array): Float64Array {
  const masked = (values: Float64Array): Float64Array => values.map((value, i) => (at(free, i) === 0 ? 0 : value));
  const pairs = steps.flatMap((step, k) => {
    const s = masked(step);
    const y = masked(changes[k] ?? step);
    const curvature = dot(s, y);
    return curvature > 1e-10 * dot(y, y) ? [{ s, y, curvature }] : [];
  });
  let q = free.slice();
  const weights: number[] = [];
  for (const { s, y, curvature } of pairs.toReversed()) {
    const weight = dot(s, q) / curvature;
    weights.push(weight);
    q = q.map((value, i) => value - weight * at(y, i));
  }
  const last = pairs.at(-1);
  const scale = last ? last.curvature / dot(last.y, last.y) : 1 / Math.max(1, largest(free));
  q = q.map((value) => value * scale);
  for (const { s, y, curvature } of pairs) {
    const change = (weights.pop() ?? 0) - dot(y, q) / curvature;
    q = q.map((value, i) => value + change * at(s, i));
  }
  return q.map((value) => -value);
}

/** A descent direction that is not too long. */
function boundedDirection(descent: Descent, free: Float64Array): Float64Array {
  let d = direction(descent, free);
  if (!(dot(d, free) < 0)) d = free.map((g) => -g / Math.max(1, largest(free)));
  const shrink = MAX_STEP / Math.max(MAX_STEP, largest(d));
  return d.map((value) => value * shrink);
}

export function startDescent(x: Float64Array, box: Box, evaluate: (x: Float64Array) => Evaluation): Descent {
  const start = clip(x, box);
  const evaluation = evaluate(start);
  const done = !Number.isFinite(evaluation.value);
  return { ...evaluation, x: start, steps: [], changes: [], iteration: 0, done };
}

/** Halves and interpolates until the function has decreased enough. */
function search(
  descent: Descent,
  d: Float64Array,
  box: Box,
  evaluate: (x: Float64Array) => Evaluation,
): Descent | undefined {
  const { x, value, gradient } = descent;
  let length = 1;
  for (let trial = 0; trial < MAX_TRIALS; trial++) {
    const reach = length;
    const next = clip(
      x.map((start, i) => start + reach * at(d, i)),
      box,
    );
    const step = next.map((end, i) => end - at(x, i));
    const slope = dot(gradient, step);
    const evaluation = evaluate(next);
    if (evaluation.value <= value + SUFFICIENT_DECREASE * slope) {
      const change = evaluation.gradient.map((g, i) => g - at(gradient, i));
      return {
        ...descent,
        ...evaluation,
        x: next,
        steps: [...descent.steps, step],
        changes: [...descent.changes, change],
      };
    }
    const curvature = evaluation.value - value - slope;
    const best = Number.isFinite(curvature) && curvature > 0 ? (-0.5 * slope) / curvature : 0.1;
    length *= Math.min(Math.max(best, 0.1), 0.5);
  }
  return undefined;
}

/** One iteration: at most 20 evaluations, usually one. */
export function descend(descent: Descent, box: Box, evaluate: (x: Float64Array) => Evaluation): Descent {
  const free = freeGradient(descent.x, descent.gradient, box);
  if (descent.done || largest(free) <= GRADIENT_TOLERANCE) return { ...descent, done: true };
  const next = search(descent, boundedDirection(descent, free), box, evaluate);
  if (next === undefined) return { ...descent, done: true };
  const decrease = descent.value - next.value;
  const size = Math.max(Math.abs(descent.value), Math.abs(next.value), 1);
  const ends = largest(freeGradient(next.x, next.gradient, box)) <= GRADIENT_TOLERANCE;
  return {
    ...next,
    steps: next.steps.slice(-MEMORY),
    changes: next.changes.slice(-MEMORY),
    iteration: descent.iteration + 1,
    done: ends || decrease <= DECREASE_TOLERANCE * size,
  };
}
