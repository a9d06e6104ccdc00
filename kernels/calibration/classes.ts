import type { MathExports } from '../math/index.ts';
import { KernelInputError, requireInteger, requireNumber } from '../runtime/index.ts';
import { checkClasses } from './contract.ts';
import type { ClassPredictions } from './contract.ts';

/** Probabilities below this count as it, in logarithms. */
const SMALLEST_PROBABILITY = 1e-15;

/** Bins of confidence for the calibration error, as in Guo et al. 2017. */
const BINS = 15;

/** Where temperatures are sought, and how often the interval is cut: to less than 1e-10 of itself. */
const TEMPERATURES = [1 / 32, 32] as const;
const CUTS = 50;
const GOLDEN = 0.6180339887498949;

/** How good predicted probabilities are: means over rows. */
export interface ClassScores {
  /** Share of rows whose class has the greatest probability; the first of equals counts. */
  readonly accuracy: number;
  /** −log of the probability of the row's class, in nats. */
  readonly log_loss: number;
  /** Σ over classes of (p − [the row's class])² (Brier 1950). */
  readonly brier: number;
  /**
   * Expected calibration error (Guo et al. 2017, eq. 3): over 15 bins of the greatest probability, the share of rows in the bin times
   * the difference between their accuracy and their mean confidence.
   */
  readonly ece: number;
}

/** Rows of one bin of confidence. */
interface Bin {
  rows: number;
  right: number;
  confidence: number;
}

export function classScores(math: MathExports, predictions: ClassPredictions, bins = BINS): ClassScores {
  const { probabilities, labels, classes } = checkClasses(predictions);
  requireInteger('bins', bins, { min: 1 });
  const table = Array.from({ length: bins }, (): Bin => ({ rows: 0, right: 0, confidence: 0 }));
  const n = labels.length;
  let right = 0;
  let logLoss = 0;
  let brier = 0;
  for (let row = 0; row < n; row++) {
    let best = 0;
    let confidence = -1;
    for (let c = 0; c < classes; c++) {
      const p = probabilities[row * classes + c] ?? 0;
      const truth = c === labels[row] ? 1 : 0;
      brier += (p - truth) * (p - truth);
      if (truth === 1) logLoss -= math.log(Math.max(p, SMALLEST_PROBABILITY));
      if (p > confidence) [best, confidence] = [c, p];
    }
    const isRight = best === labels[row] ? 1 : 0;
    right += isRight;
    // Bins are open below and closed above.
    const bin = table[Math.max(Math.ceil(confidence * bins) - 1, 0)];
    if (bin === undefined) continue;
    bin.rows += 1;
    bin.right += isRight;
    bin.confidence += confidence;
  }
  const ece = table.reduce((sum, bin) => sum + Math.abs(bin.right - bin.confidence) / n, 0);
  return { accuracy: right / n, log_loss: logLoss / n, brier: brier / n, ece };
}

/** softmax(log p / T) of each row, N×C. @throws KernelInputError unless T > 0 and rows are whole. */
export function withTemperature(
  math: MathExports,
  probabilities: ArrayLike<number>,
  classes: number,
  temperature: number,
): Float64Array {
  requireInteger('classes', classes, { min: 2 });
  requireNumber('temperature', temperature, { min: 0, above: true });
  if (probabilities.length % classes !== 0) {
    throw new KernelInputError('probabilities', `rows of ${classes}`, probabilities);
  }
  const out = new Float64Array(probabilities.length);
  for (let from = 0; from < out.length; from += classes) {
    let largest = -Infinity;
    for (let i = from; i < from + classes; i++) {
      const logit = math.log(Math.max(probabilities[i] ?? 0, SMALLEST_PROBABILITY)) / temperature;
      out[i] = logit;
      largest = Math.max(largest, logit);
    }
    let total = 0;
    for (let i = from; i < from + classes; i++) {
      const weight = math.exp((out[i] ?? 0) - largest);
      out[i] = weight;
      total += weight;
    }
    for (let i = from; i < from + classes; i++) out[i] = (out[i] ?? 0) / total;
  }
  return out;
}

/**
 * The temperature of a classification (Guo et al. 2017, section 4.2): the T, from 1/32 to 32, under which these rows are likeliest. Above 1
 * the classifier was too sure. By golden sections of log T, along which the log-loss has one minimum.
 */
export function classTemperature(math: MathExports, predictions: ClassPredictions): number {
  const { probabilities, labels, classes } = checkClasses(predictions);
  const loss = (logT: number): number => {
    const scaled = withTemperature(math, probabilities, classes, math.exp(logT));
    return classScores(math, { probabilities: scaled, labels, classes }).log_loss;
  };
  let [low, high] = TEMPERATURES.map((t) => math.log(t)) as [number, number];
  let left = high - GOLDEN * (high - low);
  let right = low + GOLDEN * (high - low);
  let [leftLoss, rightLoss] = [loss(left), loss(right)];
  for (let cut = 0; cut < CUTS; cut++) {
    if (leftLoss <= rightLoss) {
      [high, right, rightLoss] = [right, left, leftLoss];
      left = high - GOLDEN * (high - low);
      leftLoss = loss(left);
    } else {
      [low, left, leftLoss] = [left, right, rightLoss];
      right = low + GOLDEN * (high - low);
      rightLoss = loss(right);
    }
  }
  return math.exp(0.5 * (low + high));
}
