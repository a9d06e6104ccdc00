import { paretoSummary } from '../../../kernels/pareto/index.ts';
import type { Direction } from '../../../kernels/pareto/index.ts';
import type { KernelCases, PlainCase } from './case.ts';
import { uniform } from './data.ts';

function summary(count: number, directions: readonly Direction[]): PlainCase {
  const m = directions.length;
  const numbers = uniform(count * m, 0, 1, 4);
  const points = Array.from({ length: count }, (_, i) => [...numbers.subarray(m * i, m * (i + 1))]);
  return () => {
    const { crowding, ...rest } = paretoSummary(points, directions);
    return [JSON.stringify(rest), crowding];
  };
}

export const paretoCases: KernelCases = {
  'two objectives': summary(400, ['min', 'max']),
  'three objectives': summary(300, ['min', 'max', 'min']),
  'four objectives': summary(60, ['min', 'max', 'min', 'max']),
  'five objectives': summary(50, ['max', 'max', 'min', 'min', 'max']),
};
