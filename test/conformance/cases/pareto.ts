import { contributions, front, hypervolume, paretoSummary, ranks } from '../../../kernels/pareto/index.ts';
import type { KernelCases } from './case.ts';
import { uniform } from './data.ts';

const numbers = uniform(60 * 4, 0, 1, 4);
const points = Array.from({ length: 60 }, (_, i) => [...numbers.subarray(4 * i, 4 * i + 4)]);

const five = Array.from({ length: 45 }, (_, i) => [...uniform(5, 0, 1, 100 + i)]);

export const paretoCases: KernelCases = {
  'summary of four objectives': () => [JSON.stringify(paretoSummary(points, ['min', 'max', 'min', 'max']))],
  'five objectives': () => {
    const reference = [1.1, 1.2, 1, 0.9, 1.05];
    return [ranks(five), front(five), [hypervolume(five, reference)], contributions(five, reference)];
  },
};
