import type { Kwargs, Result } from '#catalog';
import { KernelInputError } from '#kernels/runtime';
import { contributions, front, hypervolume, ranks } from '#kernels/pareto';
import { TabgridError, type Assignment } from '#protocol';
import type { Env } from '../../env.ts';

/** As a worker computes it: without a reference, up to the worst value of each objective. */
export async function computeParetoFront(_: Env, { kwargs }: Assignment): Promise<Result<'compute_pareto_front'>> {
  const { points, directions, reference } = kwargs as Kwargs<'compute_pareto_front'>;
  try {
    const corner = reference ?? worstOf(points, directions);
    return {
      front: front(points, directions),
      ranks: ranks(points, directions),
      hypervolume: hypervolume(points, corner, directions),
      contributions: contributions(points, corner, directions),
    };
  } catch (error) {
    if (error instanceof KernelInputError) throw new TabgridError('invalid_input', error.message);
    throw error;
  }
}

function worstOf(points: readonly (readonly number[])[], directions: readonly ('min' | 'max')[]): number[] {
  return directions.map((direction, k) => {
    const values = points.map((point) => point[k] ?? 0);
    return direction === 'max' ? Math.min(...values) : Math.max(...values);
  });
}
