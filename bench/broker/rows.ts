import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchLine } from '../lib/line.ts';
import { startCountedEdge, type CountedEdge, type Rows } from './counted-edge.ts';
import { startWorker } from './workers.ts';

/**
 * Rows written per task over all objects from its submission to its deletion: each batch is submitted, computed and read before the next.
 * @param keyed as the SDK submits: with an idempotency key for each request
 */
async function rowsPerTask(quick: boolean, batch: number, keyed: boolean): Promise<Rows> {
  const tasks = quick ? 300 : 3_000;
  const retentionMs = quick ? 4_000 : 20_000;
  // A sweep comes four times in that: seldom enough to weigh little. In a day’s retention there is one an hour.
  const edge = await startCountedEdge({ resultRetentionMs: retentionMs, eventRetentionMs: retentionMs });
  try {
    const worker = await startWorker(edge, 'threads', { concurrency: 1, prefetch: batch });
    try {
      const before = await edge.rows();
      for (let done = 0; done < tasks; done += batch) await cycle(edge, batch, keyed);
      while (!(await isForgotten(edge))) await sleep(retentionMs / 8);
      return perTask(before, await edge.rows(), tasks);
    } finally {
      await worker.stop();
    }
  } finally {
    await edge.stop();
  }
}

async function cycle(edge: CountedEdge, batch: number, keyed: boolean): Promise<void> {
  const response = await fetch(`${edge.url}/v1/tasks`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${edge.token}`,
      'content-type': 'application/json',
      ...(keyed ? { 'idempotency-key': crypto.randomUUID() } : {}),
    },
    body: JSON.stringify(batch === 1 ? { task: 'ping' } : Array.from({ length: batch }, () => ({ task: 'ping' }))),
  });
  if (!response.ok) throw new Error(`submitting failed: ${await response.text()}`);
  const answer = (await response.json()) as { task_id?: string; tasks?: { task_id: string }[] };
  const ids = answer.tasks?.map((task) => task.task_id) ?? [answer.task_id ?? ''];
  for (const id of ids.reverse()) await edge.grid.result(id).get();
}

async function isForgotten({ grid }: CountedEdge): Promise<boolean> {
  const { tasks } = await grid.request<{ tasks: unknown[] }>('GET', '/v1/tasks?limit=1');
  return tasks.length === 0;
}

/** Kinds of statements in the order of their weight. */
function perTask(before: Rows, after: Rows, tasks: number): Rows {
  const shares = Object.entries(after).map(([kind, rows]) => [kind, (rows - (before[kind] ?? 0)) / tasks] as const);
  return Object.fromEntries(shares.filter(([, share]) => share > 0).sort(([, a], [, b]) => b - a));
}

function sum(rows: Rows): number {
  return Object.values(rows).reduce((total, share) => total + share, 0);
}

export async function rows(name: string, quick: boolean, batch: number): Promise<BenchLine> {
  const plain = await rowsPerTask(quick, batch, false);
  const keyed = await rowsPerTask(quick, batch, true);
  return {
    bench: 'broker',
    case: name,
    unit: 'rows written per task',
    ours: sum(plain),
    peers: {},
    ratio: null,
    batch,
    made_of: plain,
    with_idempotency_key: { ours: sum(keyed), made_of: keyed },
  };
}
