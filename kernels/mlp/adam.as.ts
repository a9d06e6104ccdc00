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

/** One step on `bytes` of parameters at `offset`; `rate` carries the bias corrections. */
function step(network: Network, offset: usize, bytes: usize, rate: f32, decay: f32): void {
  let w = network.parameters + offset;
  let g = network.gradient + offset;
  let m = network.firstMoment + offset;
  let v = network.secondMoment + offset;
  const end = w + bytes;
  const beta1 = f32x4.splat(<f32>BETA1);
  const rest1 = f32x4.splat(<f32>(1 - BETA1));
  const beta2 = f32x4.splat(<f32>BETA2);
  const rest2 = f32x4.splat(<f32>(1 - BETA2));
  const rates = f32x4.splat(rate);
  const epsilons = f32x4.splat(<f32>EPSILON);
  const decays = f32x4.splat(decay);
  const floor1 = f32x4.splat(FIRST_MOMENT_FLOOR);
  const floor2 = f32x4.splat(SECOND_MOMENT_FLOOR);
  for (; w < end; w += 16, g += 16, m += 16, v += 16) {
    const weight = v128.load(w);
    const gradient = f32x4.add(v128.load(g), f32x4.mul(decays, weight));
    let first = f32x4.add(f32x4.mul(beta1, v128.load(m)), f32x4.mul(rest1, gradient));
    let second = f32x4.add(f32x4.mul(beta2, v128.load(v)), f32x4.mul(rest2, f32x4.mul(gradient, gradient)));
    first = v128.andnot(first, f32x4.lt(f32x4.abs(first), floor1));
    second = v128.andnot(second, f32x4.lt(second, floor2));
    v128.store(m, first);
    v128.store(v, second);
    const change = f32x4.div(f32x4.mul(rates, first), f32x4.add(f32x4.sqrt(second), epsilons));
    v128.store(w, f32x4.sub(weight, change));
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
