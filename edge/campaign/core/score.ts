import { catalog } from '#catalog';
import type { Json } from '#protocol';
import { batchCount } from './batch.ts';
import { stdScales } from './calibrate.ts';
import { taskSeed } from './chance.ts';
import { bestOf, valueOf } from './observed.ts';
import { drawScalarizations } from './scalarize.ts';
import type { CampaignCore, PlannedTask, Proposal } from './types.ts';

/** Points told to a search as tried are at most so many, and have at most so many numbers together. */
const maxPending = 1000;
const maxPendingNumbers = 20_000;

/** The newest of the points, as many as a task’s arguments have room for. */
export function newest(points: readonly (readonly number[])[]): number[][] {
  const count = Math.min(maxPending, Math.floor(maxPendingNumbers / Math.max(1, points[0]?.length ?? 1)));
  return points.slice(-count).map((point) => [...point]);
}

/** What both ways to propose need to know of the objectives. */
export function goalOf(state: CampaignCore): { goal: 'max' | 'min'; best?: number } {
  const [objective] = state.spec.objectives;
  const best = bestOf(state.spec, state.candidates);
  return { goal: objective?.goal ?? 'max', ...(best === null ? {} : { best: valueOf(best) }) };
}

/** One task that scores every untried design of the pool. */
export function scoringTasks(state: CampaignCore): PlannedTask[] {
  const { spec, names, candidates, iteration, models } = state;
  if (!('pool' in spec.space)) return [];
  const count = batchCount(state);
  const several = spec.objectives.length > 1;
  const failed = candidates.filter(({ outcome }) => outcome.type === 'failed').map(({ inputs }) => inputs);
  return [
    {
      ref: `score.${iteration}`,
      task: 'score_candidates',
      kwargs: {
        model_path: [...models],
        pool: spec.space.pool,
        inputs: [...names],
        exclude: candidates.flatMap(({ row }) => (row === null ? [] : [row])).sort((a, b) => a - b),
        acquisition: plain(spec.acquisition),
        ...goalOf(state),
        ...(several
          ? {
              scalarizations: plain(
                drawScalarizations(state, count).map(({ scalarization, best }) => ({ ...scalarization, best })),
              ),
            }
          : {}),
        ...(failed.length > 0 ? { pending: newest(failed) } : {}),
        std_scale: stdScales(state),
        count,
        seed: taskSeed(spec.seed, 'score', iteration),
      },
    },
  ];
}

/** The proposals in a scoring task’s result, but for what was tried meanwhile. @throws Error in words when they are not what the pool has. */
export function proposalsOf(state: CampaignCore, result: Json): Proposal[] {
  const parsed = catalog.score_candidates.result.safeParse(result);
  if (!parsed.success) throw new Error('the worker’s answer is no result of score_candidates');
  const positions = new Map(state.pool?.rows.map((row, position) => [row, position]));
  const taken = new Set(state.candidates.map(({ row }) => row));
  return parsed.data.proposals.slice(0, batchCount(state)).flatMap(({ row, inputs, prediction }) => {
    const position = positions.get(row);
    const expected = position === undefined ? undefined : state.pool?.inputs[position];
    if (expected === undefined || expected.some((value, k) => value !== inputs[k])) {
      throw new Error(`row ${row} of the answer is not what the pool had there; was its file replaced meanwhile?`);
    }
    // Somebody’s own result for it may have come in since the task was made.
    if (taken.has(row)) return [];
    taken.add(row);
    return [{ row, inputs: expected, prediction }];
  });
}

/** A deep copy as plain JSON, without what is undefined. */
export function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
