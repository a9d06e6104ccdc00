import { distinctRows, numericColumns, parseCsv, rowKey, rowOf } from '#kernels/csv';
import { campaignSpecSchema, type CampaignSpec, type Surrogate } from '#protocol';

/** A table of real experiments on which an optimiser is replayed. */
export interface ReplayCase {
  readonly name: string;
  /** File in `data/`. */
  readonly file: string;
  readonly objective: string;
  readonly goal: 'max' | 'min';
  readonly surrogate: Surrogate;
  /** Experiments that published optimisers needed, by name. */
  readonly published: Readonly<Record<string, number>>;
}

/** What the campaign is asked: how many experiments until half of the best 5 % of the designs are found. */
export const topShare = 0.05;

const barrel = {
  file: 'crossed_barrel.csv',
  objective: 'toughness',
  goal: 'max',
  // Median of 50 runs of a Gaussian process (Matérn 5/2, ARD, LCB): Liang et al., npj Computational Materials 7, 188 (2021).
  published: { 'GP (npj 2021)': 79 },
} as const;

const perovskite = { file: 'perovskite.csv', objective: 'Instability index', goal: 'min', published: {} } as const;

export const cases: readonly ReplayCase[] = [
  { ...barrel, name: 'crossed-barrel', surrogate: { kind: 'auto' } },
  { ...perovskite, name: 'perovskite', surrogate: { kind: 'auto' } },
  { ...barrel, name: 'crossed-barrel-gp', surrogate: { kind: 'gp' } },
  { ...barrel, name: 'crossed-barrel-forest', surrogate: { kind: 'forest' } },
  { ...perovskite, name: 'perovskite-gp', surrogate: { kind: 'gp' } },
  { ...perovskite, name: 'perovskite-forest', surrogate: { kind: 'forest' } },
];

/** Designs of a case with their mean outcome, best first. */
export function rankedDesigns({ objective, goal }: ReplayCase, csv: Uint8Array): { key: string; value: number }[] {
  const table = parseCsv(csv);
  const inputs = numericColumns(
    table,
    table.header.filter((name) => name !== objective),
  );
  const outcomes = numericColumns(table, [objective]);
  const { first, kind } = distinctRows(inputs);
  const sums = first.map(() => ({ sum: 0, count: 0 }));
  kind.forEach((position, row) => {
    const entry = sums[position];
    if (entry === undefined) return;
    entry.sum += outcomes.values[row] ?? NaN;
    entry.count++;
  });
  return first
    .map((row, position) => {
      const { sum, count } = sums[position] ?? { sum: NaN, count: 1 };
      return { key: rowKey(rowOf(inputs, row)), value: sum / count };
    })
    .sort((a, b) => (goal === 'max' ? b.value - a.value : a.value - b.value));
}

export function replaySpec(replay: ReplayCase, budget: number, seed: number): CampaignSpec {
  const { name, file, objective, goal, surrogate } = replay;
  const path = `/datasets/${file}`;
  return campaignSpecSchema.parse({
    name,
    space: { pool: path },
    objectives: [{ name: objective, goal }],
    evaluator: { kind: 'table', path },
    surrogate,
    initial: 2,
    budget,
    seed,
  });
}
