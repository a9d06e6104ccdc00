import { Network } from './network.as';

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/**
 * Moments this small are set to zero. Without it the moments of units that get no gradient any more end as denormal
 * numbers, which never vanish and slow every step.
 */
const FIRST_MOMENT_FLOOR: f32 = 1e-25;
const SECOND_MOMENT_FLOOR: f32 = 1e-36;

// Addresses of what a step reads again for every four parameters: kept in registers, these constants would push the
// sums out (a step took a quarter longer).
const beta1 = memory.data<f32>([<f32>BETA1]);
const rest1 = memory.data<f32>([<f32>(1 - BETA1)]);
const beta2 = memory.data<f32>([<f32>BETA2]);
const rest2 = memory.data<f32>([<f32>(1 - BETA2)]);
const epsilon = memory.data<f32>([<f32>EPSILON]);
const floor1 = memory.data<f32>([FIRST_MOMENT_FLOOR]);
const floor2 = memory.data<f32>([SECOND_MOMENT_FLOOR]);

/** One step on `bytes` of parameters at `offset`; `rate` carries the bias corrections. */
function step(network: Network, offset: usize, bytes: usize, rate: f32, decay: f32): void {
  const w = network.parameters + offset;
  const g = network.gradient + offset;
  const m = network.firstMoment + offset;
  const v = network.secondMoment + offset;
  const rates = f32x4.splat(rate);
  const decays = f32x4.splat(decay);
  const magnitude = i32x4.splat(0x7fffffff);
  for (let i: usize = 0; i < bytes; i += 16) {
    const weight = v128.load(w + i);
    const gradient = f32x4.add(v128.load(g + i), f32x4.mul(decays, weight));
    const kept1 = f32x4.mul(v128.load32_splat(beta1), v128.load(m + i));
    const kept2 = f32x4.mul(v128.load32_splat(beta2), v128.load(v + i));
    const squared = f32x4.mul(gradient, gradient);
    let first = f32x4.add(kept1, f32x4.mul(v128.load32_splat(rest1), gradient));
    let second = f32x4.add(kept2, f32x4.mul(v128.load32_splat(rest2), squared));
    first = v128.andnot(first, f32x4.lt(v128.and(first, magnitude), v128.load32_splat(floor1)));
    second = v128.andnot(second, f32x4.lt(second, v128.load32_splat(floor2)));
    v128.store(m + i, first);
    v128.store(v + i, second);
    const root = f32x4.add(f32x4.sqrt(second), v128.load32_splat(epsilon));
    v128.store(w + i, f32x4.sub(weight, f32x4.div(f32x4.mul(rates, first), root)));
  }
}

/**
 * Step t (from 1) of Adam (Kingma & Ba 2015, algorithm 1, in the form at the end of its section 2, with ε̂ = 1e-8). The
 * penalty ½·decay·ΣW² is part of the gradient.
 */
export function adam(network: Network, t: f64, learningRate: f64, decay: f64): void {
  const rate = <f32>((learningRate * Math.sqrt(1.0 - Math.pow(BETA2, t))) / (1.0 - Math.pow(BETA1, t)));
  for (let l = 0; l < network.depth; l++) {
    const layer = network.layer(l);
    step(network, layer.weights, layer.bias - layer.weights, rate, <f32>decay);
    step(network, layer.bias, (<usize>layer.paddedOutputs) << 2, rate, 0);
  }
}

/** Takes the given share off every weight. */
function shrink(network: Network, share: f64): void {
  const factor = f32x4.splat(<f32>(1.0 - share));
  for (let l = 0; l < network.depth; l++) {
    const layer = network.layer(l);
    const end = network.parameters + layer.bias;
    for (let w = network.parameters + layer.weights; w < end; w += 16) {
      v128.store(w, f32x4.mul(v128.load(w), factor));
    }
  }
}

/** The same with decoupled decay (Loshchilov & Hutter 2019, algorithm 2), which is multiplied by the rate as PyTorch does. */
export function adamW(network: Network, t: f64, learningRate: f64, decay: f64): void {
  if (decay > 0.0) shrink(network, learningRate * decay);
  adam(network, t, learningRate, 0.0);
}
