import type { MathExports } from '../math/index.ts';
import { Rng } from '../rng/index.ts';
import type { GpOptions, Hyperparameters } from './contract.ts';
import type { Box } from './optimiser.ts';

/** θ: log σ_f², log σ_n², log ℓ_1 … log ℓ_D. */
export type Theta = Float64Array;

const START_STREAM = 1;

/** Where climbs begin: in the middle, or drawn between the ends, evenly in the logarithm. */
const SIGNAL = { middle: 1, from: 0.3, to: 3 };
const NOISE = { middle: 1e-2, from: 1e-4, to: 0.3 };
const LENGTH = { middle: 0.5, from: 0.05, to: 3 };

/** √2 and √3 are the location and the width of the log-normal densities of length scales, −4 and 1 those of the noise. */
const SQRT_2 = 1.4142135623730951;
const LENGTH_VARIANCE = 3;
const NOISE_LOCATION = -4;

export function fromTheta(math: MathExports, theta: Theta): Hyperparameters {
  const [signalVariance = NaN, noiseVariance = NaN, ...lengthScales] = [...theta].map((value) => math.exp(value));
  return { signalVariance, noiseVariance, lengthScales };
}

export function thetaBox(math: MathExports, options: GpOptions, dimension: number): Box {
  const { signalVarianceBounds, noiseVarianceBounds, lengthScaleBounds } = options;
  const end = (which: 0 | 1): Float64Array =>
    Float64Array.of(
      math.log(signalVarianceBounds[which]),
      math.log(noiseVarianceBounds[which]),
      ...new Array<number>(dimension).fill(math.log(lengthScaleBounds[which])),
    );
  return { lower: end(0), upper: end(1) };
}

/** The point from which climb `start` of target `output` begins; lengths grow with √D, as distances do. */
export function startTheta(
  math: MathExports,
  { seed, starts }: GpOptions,
  dimension: number,
  output: number,
  start: number,
): Theta {
  const growth = Math.sqrt(dimension);
  const rng = new Rng(seed, START_STREAM + output * starts + start);
  const draw = ({ middle, from, to }: typeof SIGNAL, factor = 1): number => {
    if (start === 0) return math.log(middle * factor);
    return math.log(from * factor) + rng.uniform() * (math.log(to) - math.log(from));
  };
  return Float64Array.of(draw(SIGNAL), draw(NOISE), ...Array.from({ length: dimension }, () => draw(LENGTH, growth)));
}

/** Logarithm of the prior density at θ but for a constant, and its gradient, added to `gradient`. */
export function addPrior(math: MathExports, prior: GpOptions['prior'], theta: Theta, gradient: Float64Array): number {
  if (prior === 'none') return 0;
  let sum = 0;
  // log of LN(x; μ, s²), a density over x itself, so that −log x belongs to it.
  const add = (index: number, location: number, variance: number): void => {
    const logarithm = theta[index] ?? 0;
    const distance = logarithm - location;
    sum -= logarithm + (distance * distance) / (2 * variance);
    gradient[index] = (gradient[index] ?? 0) - 1 - distance / variance;
  };
  add(1, NOISE_LOCATION, 1);
  const location = SQRT_2 + 0.5 * math.log(theta.length - 2);
  for (let index = 2; index < theta.length; index++) add(index, location, LENGTH_VARIANCE);
  return sum;
}
