import { rowKey } from '#kernels/csv';
import { chance } from './chance.ts';
import { latinHypercube, sizeOf, untriedPoints } from './box.ts';
import type { CampaignCore, Pool, Proposal } from './types.ts';

/** Keys of all inputs that were tried, are being tried, or were given. */
export function triedKeys({ candidates }: Pick<CampaignCore, 'candidates'>): Set<string> {
  return new Set(candidates.map(({ inputs }) => rowKey(inputs)));
}

/** Rows of the pool that no candidate stands for, as positions in the pool. */
function untriedPositions(pool: Pool, { candidates }: Pick<CampaignCore, 'candidates'>): Uint32Array {
  const tried = new Set(candidates.map(({ row }) => row));
  return Uint32Array.from(pool.rows.keys()).filter((position) => !tried.has(pool.rows[position] ?? -1));
}

/** How many more candidates the space has. */
export function untriedCount(state: CampaignCore): number {
  if (state.pool !== null) return untriedPositions(state.pool, state).length;
  const { space } = state.spec;
  if (!('inputs' in space) || 'pool' in space) return 0;
  const size = sizeOf(space.inputs);
  return Number.isFinite(size) ? Math.max(0, size - triedKeys(state).size) : Infinity;
}

/**
 * Candidates drawn at random: without replacement from a pool, a Latin hypercube in a box for the initial design and uniform later. Fewer
 * than `count` when the space has no more.
 */
export function drawAtRandom(state: CampaignCore, count: number, purpose: 'initial' | 'random'): Proposal[] {
  const rng = chance(state.spec.seed, purpose, state.iteration);
  if (state.pool !== null) {
    const { rows, inputs } = state.pool;
    const positions = untriedPositions(state.pool, state);
    rng.shuffle(positions);
    return Array.from(positions.subarray(0, count), (position) => ({
      row: rows[position] ?? 0,
      inputs: inputs[position] ?? [],
      prediction: null,
    }));
  }
  const { space } = state.spec;
  if ('pool' in space) return [];
  const tried = triedKeys(state);
  const spread = purpose === 'initial' ? latinHypercube(space.inputs, count, rng) : [];
  const fresh = spread.filter((point) => !tried.has(rowKey(point)) && tried.add(rowKey(point)));
  const rest = untriedPoints(space.inputs, count - fresh.length, rng, tried);
  return [...fresh, ...rest].map((inputs) => ({ row: null, inputs, prediction: null }));
}
