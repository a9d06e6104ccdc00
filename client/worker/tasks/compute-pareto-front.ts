import { paretoSummary, worstPoint } from '#kernels/pareto';
import type { TaskBody } from './body.ts';
import { withFaults } from './faults.ts';

/** Ranks and volumes of points; without a reference, up to the worst value of each objective. */
export const computeParetoFront: TaskBody<'compute_pareto_front'> = withFaults(
  async (_, { points, directions, reference }) => {
    const summary = paretoSummary(points, directions, reference ?? worstPoint(points, directions));
    const { front, ranks, hypervolume, contributions } = summary;
    const crowding = summary.crowding.map((distance) => (distance === Infinity ? null : distance));
    return { front, ranks, crowding, hypervolume, contributions };
  },
);
