import { contributions, front, hypervolume, ranks } from '#kernels/pareto';
import type { TaskBody } from './body.ts';
import { withFaults } from './faults.ts';

/** Ranks and volumes of points; without a reference, up to the worst value of each objective. */
export const computeParetoFront: TaskBody<'compute_pareto_front'> = withFaults(
  async (_, { points, directions, reference }) => {
    const corner = reference ?? worstOf(points, directions);
    return {
      front: front(points, directions),
      ranks: ranks(points, directions),
      hypervolume: hypervolume(points, corner, directions),
      contributions: contributions(points, corner, directions),
    };
  },
);

function worstOf(points: readonly (readonly number[])[], directions: readonly ('min' | 'max')[]): number[] {
  return directions.map((direction, k) => {
    const [start, worse] = direction === 'max' ? [Infinity, Math.min] : [-Infinity, Math.max];
    return points.reduce((worst, point) => worse(worst, point[k] ?? worst), start);
  });
}
