import { median, ratioOf, type BenchLine } from '../lib/line.ts';
import type { Field } from '../lib/peer.ts';
import { startEdge, type Edge } from './edge.ts';
import { startWorker, type Pool } from './workers.ts';

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

/** Rounds of `measure`, in an edge of their own, each followed by `then`. The first, which is longer and does not count, warms compilers and caches up. */
async function rounds(
  pool: Pool,
  quick: boolean,
  then: (tasks: number, counts: boolean) => Promise<void>,
): Promise<Measured> {
  const all: Waits[] = [];
  const edge = await startEdge();
  try {
    const worker = await startWorker(edge, pool, { concurrency: 1, prefetch: 1 }, true);
    try {
      for (let round = -1; round < (quick ? 1 : 5); round++) {
        const counts = round >= 0;
        const tasks = taskCount(quick) * (counts ? 1 : warmUpRounds);
        const waits = await measure(edge, tasks);
        if (counts) all.push(waits);
        await then(tasks, counts);
      }
    } finally {
      await worker.stop();
    }
    return { waits: medians(all), workers: worker.label };
  } finally {
    await edge.stop();
  }
}

interface Measured {
  readonly waits: Waits;
  readonly workers: string;
}

/** V8 compiles the edge’s code during its first few thousand tasks. */
const warmUpRounds = 2;

function taskCount(quick: boolean): number {
  return quick ? 100 : 3_000;
}

function medians(all: readonly Waits[]): Waits {
  return { p50: median(all.map(({ p50 }) => p50)), p99: median(all.map(({ p99 }) => p99)) };
}

/** Two lines of one measurement: p50 and p99. Bodies run in the worker’s own thread, as BullMQ’s do; `threads` is the way to a thread more. */
export async function latency(name: string, field: Field, quick: boolean): Promise<BenchLine[]> {
  const tasks = taskCount(quick);
  const theirs = new Map(field.peers.map((peer) => [peer.name, [] as Waits[]]));
  const ours = await rounds('solo', quick, async (tasks, counts) => {
    for (const peer of field.peers) {
      const { p50 = NaN, p99 = NaN } = await peer.ask({ work: 'latency', tasks, concurrency: 1 });
      if (counts) theirs.get(peer.name)?.push({ p50, p99 });
    }
  });
  const threads = await rounds('threads', quick, () => Promise.resolve());
  const line = (quantile: keyof Waits): BenchLine => {
    const own = ours.waits[quantile];
    const peers = Object.fromEntries([...theirs].map(([peer, all]) => [peer, medians(all)[quantile]]));
    return {
      bench: 'broker',
      case: quantile === 'p50' ? name : `${name}-${quantile}`,
      unit: `ms from submit to start, ${quantile}`,
      ours: own,
      peers,
      ratio: ratioOf(own, peers, 'less'),
      ...(field.missing.length === 0 ? {} : { missing: field.missing }),
      workers: ours.workers,
      tasks,
      threads: { ours: threads.waits[quantile], workers: threads.workers },
    };
  };
  return [line('p50'), line('p99')];
}
