import { paretoSummary } from '../../../kernels/pareto/index.ts';
import type { KernelCases } from './case.ts';
import { uniform } from './data.ts';

const numbers = uniform(60 * 4, 0, 1, 4);
const points = Array.from({ length: 60 }, (_, i) => [...numbers.subarray(4 * i, 4 * i + 4)]);

export const paretoCases: KernelCases = {
  'summary of four objectives': () => [JSON.stringify(paretoSummary(points, ['min', 'max', 'min', 'max']))],
};
