import { KernelInputError } from '#kernels';
import { distinctRows, numericColumns, parseCsv, rowKey, rowOf, type CsvTable } from '#kernels/csv';
import type { CampaignSpec } from '#protocol';
import { roomForGiven } from './surrogate.ts';
import type { CampaignEvent, Given, Pool } from './types.ts';

/** Designs of a pool: they are kept in the campaign’s database and go through its memory. */
export const maxPoolDesigns = 200_000;

export interface CampaignFiles {
  readonly pool: Uint8Array | null;
  readonly dataset: Uint8Array | null;
}

/**
 * What a campaign’s files say: its pool without repetitions, and the observations to begin with, of which those with equal inputs are
 * averaged.
 *
 * @throws KernelInputError naming the row and column that does not fit, or `dataset_path` when it has too many rows for the surrogate.
 */
export function readFiles(spec: CampaignSpec, files: CampaignFiles): Extract<CampaignEvent, { type: 'loaded' }> {
  const objectives = spec.objectives.map(({ name }) => name);
  const poolTable = files.pool === null ? null : parseCsv(files.pool);
  const names = inputNames(spec, poolTable, objectives);
  const given = files.dataset === null ? [] : readDataset(parseCsv(files.dataset), names, objectives);
  const room = roomForGiven(spec);
  if (given.length > room) {
    const expected = `at most ${room} observations beside the budget, with the surrogate gp`;
    throw new KernelInputError('dataset_path', expected, given.length);
  }
  return { type: 'loaded', names, pool: poolTable === null ? null : readPool(poolTable, names), given };
}

function inputNames({ space }: CampaignSpec, pool: CsvTable | null, objectives: readonly string[]): string[] {
  if (!('pool' in space)) return space.inputs.map(({ name }) => name);
  return space.inputs ?? (pool?.header ?? []).filter((name) => !objectives.includes(name));
}

function readPool(table: CsvTable, names: readonly string[]): Pool {
  const values = numericColumns(table, names);
  const { first } = distinctRows(values);
  return { rows: first, inputs: first.map((row) => [...rowOf(values, row)]) };
}

function readDataset(table: CsvTable, names: readonly string[], objectives: readonly string[]): Given[] {
  const inputs = numericColumns(table, names);
  const outcomes = numericColumns(table, objectives);
  const { first, kind } = distinctRows(inputs);
  const sums = first.map(() => objectives.map(() => 0));
  const counts = first.map(() => 0);
  kind.forEach((position, row) => {
    counts[position] = (counts[position] ?? 0) + 1;
    const sum = sums[position] ?? [];
    rowOf(outcomes, row).forEach((value, k) => {
      sum[k] = (sum[k] ?? 0) + value;
    });
  });
  return first.map((row, position) => ({
    inputs: [...rowOf(inputs, row)],
    values: (sums[position] ?? []).map((sum) => sum / (counts[position] ?? 1)),
  }));
}

/** The pool’s row of given inputs, if it has one. */
export function rowIndex(pool: Pool | null): (inputs: readonly number[]) => number | null {
  if (pool === null) return () => null;
  const byKey = new Map(pool.inputs.map((inputs, position) => [rowKey(inputs), pool.rows[position] ?? null]));
  return (inputs) => byKey.get(rowKey(inputs)) ?? null;
}
