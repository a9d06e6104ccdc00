import {
  acquisition,
  logExpectedImprovement,
  scalarizer,
  shunning,
  type AcquisitionKind,
} from '../../../kernels/acquisition/index.ts';
import { instantiate, math } from '../../../kernels/index.ts';
import type { KernelCases } from './case.ts';
import { uniform } from './data.ts';

const KINDS: readonly AcquisitionKind[] = ['ei', 'ucb', 'pi', 'thompson', 'mean'];
const means = uniform(80, -3, 3, 1);
const stds = uniform(80, 0, 2, 2).map((std, i) => (i % 20 === 0 ? 0 : std));
const points = Array.from({ length: 12 }, (_, i) => uniform(5, 0, 1, 10 + i));

export const acquisitionCases: KernelCases = {
  'every kind': (module) => {
    const functions = math(instantiate(module));
    const goals = ['max', 'min'] as const;
    return goals.flatMap((goal) =>
      KINDS.map((kind) => {
        const rate = acquisition(functions, { kind, goal, best: 0.7, kappa: 2.5, xi: 0.01 });
        return means.map((mean, i) => rate(mean, stds[i] ?? 0));
      }),
    );
  },
  'log of expected improvement, far into the tail': (module) => {
    const functions = math(instantiate(module));
    return [Array.from({ length: 400 }, (_, i) => logExpectedImprovement(functions, 20 - 0.5 * i))];
  },
  'shunning, scalarization': (module) => {
    const shun = shunning(math(instantiate(module)), points.slice(4), 0.3);
    const scalar = scalarizer({
      goals: ['max', 'min', 'min', 'max', 'min'],
      weights: [0.1, 0.3, 0.2, 0.25, 0.15],
      ideal: [1, 0, 0, 1, 0],
      nadir: [0, 1, 1, 0, 1],
    });
    return [points.map(shun), points.map(scalar)];
  },
};
