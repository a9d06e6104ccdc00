import {
  classScores,
  classTemperature,
  conformalCoverage,
  conformalFactor,
  gaussianScores,
  othersScales2,
  stdScale,
  withTemperature,
} from '../../../kernels/calibration/index.ts';
import { instantiate, math } from '../../../kernels/index.ts';
import type { KernelCases } from './case.ts';
import { uniform } from './data.ts';

const ROWS = 90;
const CLASSES = 4;

const gaussian = {
  mean: uniform(ROWS, -2, 2, 1),
  std: uniform(ROWS, 0.1, 1, 2),
  y: uniform(ROWS, -2, 2, 3),
};

const shares = uniform(ROWS * CLASSES, 0.01, 1, 4);
const probabilities = shares.map((share, i) => {
  const row = shares.subarray(i - (i % CLASSES), i - (i % CLASSES) + CLASSES);
  return share / row.reduce((sum, value) => sum + value, 0);
});
const classes = { probabilities, labels: uniform(ROWS, 0, CLASSES, 5).map(Math.floor), classes: CLASSES };

export const calibrationCases: KernelCases = {
  'normal distributions': (module) => {
    const scales2 = othersScales2(gaussian);
    const scores = gaussianScores(math(instantiate(module)), gaussian, scales2);
    return [JSON.stringify(scores), scales2, [stdScale(gaussian)]];
  },
  'conformal intervals': () => [[conformalFactor(gaussian, 0.9), conformalCoverage(gaussian, 0.8)]],
  classes: (module) => {
    const functions = math(instantiate(module));
    const temperature = classTemperature(functions, classes);
    const softened = withTemperature(functions, probabilities, CLASSES, temperature);
    return [JSON.stringify(classScores(functions, classes)), [temperature], Array.from(softened)];
  },
};
