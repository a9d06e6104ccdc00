import type { Kwargs, Result } from '#catalog';
import { KernelInputError } from '#kernels/runtime';
import { paretoSummary, worstPoint } from '#kernels/pareto';
import { TabgridError, type Assignment } from '#protocol';
import type { Env } from '../../env.ts';

/** As a worker computes it: without a reference, up to the worst value of each objective. */
export async function computeParetoFront(_: Env, { kwargs }: Assignment): Promise<Result<'compute_pareto_front'>> {
  const { points, directions, reference } = kwargs as Kwargs<'compute_pareto_front'>;
  try {
    const summary = paretoSummary(points, directions, reference ?? worstPoint(points, directions));
    const { front, ranks, hypervolume, contributions } = summary;
    const crowding = summary.crowding.map((distance) => (distance === Infinity ? null : distance));
    return { front, ranks, crowding, hypervolume, contributions };
  } catch (error) {
    if (error instanceof KernelInputError) throw new TabgridError('invalid_input', error.message);
    throw error;
  }
}
