import { median, ratioOf, type BenchLine } from '../lib/line.ts';
import type { Field } from '../lib/peer.ts';
import { startEdge, type Edge } from './edge.ts';
import { startWorker } from './workers.ts';

interface Waits {
  readonly p50: number;
  readonly p99: number;
}

/** From before the request until the body runs in the idle worker, one task after the other; each result is read before the next. */
async function measure({ grid }: Edge, tasks: number): Promise<Waits> {
  const waits: number[] = [];
  for (let i = 0; i < tasks; i++) {
    const begunNs = process.hrtime.bigint();
    const { worker: startedNs } = await (await grid.submit('ping', {})).get();
    waits.push(Number(BigInt(startedNs) - begunNs) / 1e6);
  }
  waits.sort((a, b) => a - b);
  return { p50: waits[Math.floor(tasks * 0.5)] ?? NaN, p99: waits[Math.floor(tasks * 0.99)] ?? NaN };
}

/** Two lines of one measurement: p50 and p99. */
export async function latency(name: string, field: Field, quick: boolean): Promise<BenchLine[]> {
  const tasks = quick ? 100 : 1_000;
  const rounds = quick ? 1 : 5;
  const ours: Waits[] = [];
  const theirs = new Map(field.peers.map((peer) => [peer.name, [] as Waits[]]));
  const edge = await startEdge();
  try {
    const worker = await startWorker(edge, { concurrency: 1, prefetch: 1 }, true);
    try {
      // Compilers and caches are warm after the first round, which does not count.
      for (let round = -1; round < rounds; round++) {
        const own = await measure(edge, tasks);
        if (round >= 0) ours.push(own);
        for (const peer of field.peers) {
          const { p50 = NaN, p99 = NaN } = await peer.ask({ work: 'latency', tasks, concurrency: 1 });
          if (round >= 0) theirs.get(peer.name)?.push({ p50, p99 });
        }
      }
    } finally {
      await worker.stop();
    }
    const line = (quantile: keyof Waits): BenchLine => {
      const own = median(ours.map((waits) => waits[quantile]));
      const peers = Object.fromEntries(
        [...theirs].map(([peer, waits]) => [peer, median(waits.map((one) => one[quantile]))]),
      );
      return {
        bench: 'broker',
        case: quantile === 'p50' ? name : `${name}-${quantile}`,
        unit: `ms from submit to start, ${quantile}`,
        ours: own,
        peers,
        ratio: ratioOf(own, peers, 'less'),
        ...(field.missing.length === 0 ? {} : { missing: field.missing }),
        workers: worker.label,
        tasks,
      };
    };
    return [line('p50'), line('p99')];
  } finally {
    await edge.stop();
  }
}
