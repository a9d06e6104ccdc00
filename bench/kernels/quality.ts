import { readFile } from 'node:fs/promises';
import { builtin } from '#kernels/bbob';
import { CmaEs } from '#kernels/cma-es';
import { median, ratioOf, type BenchLine } from '../lib/line.ts';
import { runBbob } from './bbob.ts';
import type { Kernels } from './kernels.ts';

const root = new URL('../../', import.meta.url);
/** Its BIPOP takes hours: its figures come from a table of one run of it (test/pure/golden/bbob/SOURCE.md). */
const pycma = 'pycma 4.5, from a table';

/** Areas under pycma's ECDF by function. */
export async function pycmaAreas(dimension: number): Promise<Map<number, number>> {
  const text = await readFile(new URL('test/pure/golden/bbob/pycma-bbob.csv', root), 'utf8');
  const [header = '', ...lines] = text.trim().split('\n');
  const names = header.split(',');
  const rows = lines.map((line) => new Map(line.split(',').map((value, i) => [names[i], Number(value)])));
  return new Map(
    rows
      .filter((row) => row.get('dim') === dimension)
      .map((row) => [row.get('function') ?? NaN, row.get('ecdf_area') ?? NaN]),
  );
}

/** BIPOP on the 24 functions of BBOB, 15 instances each: area under the ECDF of log₁₀(evaluations/d) on 0 … 4, targets 1e2 … 1e-8. */
async function* bipop({ module, quick, wants }: Kernels): AsyncGenerator<BenchLine> {
  for (const dimension of quick ? [2] : [2, 5, 10]) {
    const name = `bbob-d${dimension}`;
    if (!wants(name)) continue;
    const instances = quick ? { instances: [1] } : {};
    const [table] = runBbob(module, { dimensions: [dimension], ...instances });
    if (table === undefined) continue;
    const areas = await pycmaAreas(dimension);
    const theirs = [...areas.values()].reduce((sum, area) => sum + area, 0) / areas.size;
    const behind = table.functions
      .map(({ function: id, area }) => ({ function: id, by: (areas.get(id) ?? NaN) - area }))
      .sort((a, b) => b.by - a.by);
    yield {
      bench: 'kernels',
      case: name,
      unit: 'area under the ECDF',
      ours: table.area,
      peers: { [pycma]: theirs },
      ratio: ratioOf(table.area, { [pycma]: theirs }, 'more'),
      solved: table.solved,
      runs: table.runs,
      furthest_behind: behind[0],
    };
  }
}

interface Descent {
  readonly name: string;
  readonly x0: number;
  readonly sigma0: number;
  /** pycma’s median of 11 seeds, by dimension. */
  readonly pycma: Readonly<Record<number, number>>;
}

const descents: readonly Descent[] = [
  { name: 'sphere', x0: 3, sigma0: 2, pycma: { 10: 1414, 20: 2660 } },
  { name: 'ellipsoid', x0: 3, sigma0: 2, pycma: { 10: 3951, 20: 12_882 } },
  { name: 'rosenbrock', x0: 0, sigma0: 0.5, pycma: { 10: 4903, 20: 16_492 } },
];

function evaluationsTo1e8(module: WebAssembly.Module, { name, x0, sigma0 }: Descent, d: number, seed: number): number {
  const problem = builtin(module, name, d);
  const es = CmaEs.create(module, { dimension: d, x0: new Array<number>(d).fill(x0), sigma0, seed, ftarget: 1e-8 });
  while (Object.keys(es.stop()).length === 0) es.tell(problem.evaluateMany(es.ask(), es.popsize));
  return 'ftarget' in es.stop() ? es.evaluations : Infinity;
}

/** Evaluations of single runs until the value is 1e-8: the median of 11 seeds. */
function* singleRuns({ module, quick, wants }: Kernels): Generator<BenchLine> {
  const seeds = Array.from({ length: quick ? 1 : 11 }, (_, k) => k + 1);
  for (const descent of descents) {
    for (const [dimension, theirs] of Object.entries(descent.pycma)) {
      const name = `evals-${descent.name}-d${dimension}`;
      if (!wants(name)) continue;
      const ours = median(seeds.map((seed) => evaluationsTo1e8(module, descent, Number(dimension), seed)));
      const peers = { [pycma]: theirs };
      yield { bench: 'kernels', case: name, unit: 'evaluations', ours, peers, ratio: ratioOf(ours, peers, 'less') };
    }
  }
}

/** How good the searches of CMA-ES are, whatever time they take. */
export async function* quality(kernels: Kernels): AsyncGenerator<BenchLine> {
  yield* singleRuns(kernels);
  yield* bipop(kernels);
}
