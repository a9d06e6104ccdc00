import { chunks, parameterGrid, range } from '../../client/sdk/index.ts';
import { median, type BenchLine } from '../lib/line.ts';
import { startCountedEdge, type CountedEdge, type Rows } from './counted-edge.ts';

const calls = 1_000_000;
const callsPerTask = 1_000;

/** What accepting an array costs. */
interface Acceptance {
  readonly seconds: number;
  readonly rows: Rows;
}

/**
 * An array of a million calls, which nobody computes: the time until it is accepted, and the rows written in all objects until its first tasks wait in
 * the broker.
 */
export async function chunksMillion(name: string, quick: boolean): Promise<BenchLine> {
  const edge = await startCountedEdge({});
  try {
    // The first one builds the tables, too.
    let latest = await accept(edge, 'warming');
    const rounds: Acceptance[] = [];
    for (let round = 0; round < (quick ? 1 : 9); round++) {
      latest = await accept(edge, `round-${round}`);
      rounds.push(latest);
    }
    const rows = rounds.map((round) => Object.values(round.rows).reduce((sum, count) => sum + count, 0));
    return {
      bench: 'broker',
      case: name,
      unit: 's',
      ours: median(rounds.map(({ seconds }) => seconds)),
      peers: {},
      ratio: null,
      calls,
      rows: median(rows),
      made_of: latest.rows,
    };
  } finally {
    await edge.stop();
  }
}

async function accept(edge: CountedEdge, queue: string): Promise<Acceptance> {
  const canvas = chunks('run_cmaes_optimization', parameterGrid({ seed: range(calls) }), callsPerTask, {
    kwargs: { objective: { builtin: 'sphere' }, dimension: 2 },
    queue,
  });
  const before = await edge.rows();
  const begunMs = performance.now();
  const workflow = await edge.grid.run(canvas);
  const seconds = (performance.now() - begunMs) / 1000;
  while ((await waiting(edge, queue)) === 0);
  const rows = difference(before, await edge.rows());
  await workflow.revoke();
  while ((await waiting(edge, queue)) > 0);
  return { seconds, rows };
}

async function waiting({ grid: client }: CountedEdge, queue: string): Promise<number> {
  return (await client.queues()).find((view) => view.queue === queue)?.waiting ?? 0;
}

function difference(before: Rows, after: Rows): Rows {
  const more = Object.entries(after).map(([kind, rows]) => [kind, rows - (before[kind] ?? 0)] as const);
  return Object.fromEntries(more.filter(([, rows]) => rows > 0).sort(([, a], [, b]) => b - a));
}
