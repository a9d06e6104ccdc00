import { availableParallelism } from 'node:os';
import { compete, type Contest } from '../lib/contest.ts';
import { type BenchLine } from '../lib/line.ts';
import type { Field } from '../lib/peer.ts';
import type { AsyncResult } from '../../client/sdk/index.ts';
import { startEdge, type Edge } from './edge.ts';
import { batchCount, byHttp, readResults, submitBatches, submitSingly, takeResults } from './submitter.ts';
import { startSessions, startWorker, type Pool, type WorkerProcess, type WorkerSize } from './workers.ts';

/** Without peers. */
const alone: Field = { peers: [], missing: [] };

type Work = Pick<Contest, 'case' | 'rounds' | 'request'>;

/** Tasks through the SDK, which submits and hears of results on one socket: from the first submission until the last result, as a rate. */
async function rate(tasks: number, submit: () => Promise<AsyncResult<unknown>[]>): Promise<number> {
  const begunMs = performance.now();
  await takeResults(await submit());
  return (tasks / (performance.now() - begunMs)) * 1000;
}

/** The same over bare HTTP, where results are read page by page. */
async function rateOverHttp(edge: Edge, tasks: number, submit: () => Promise<string[]>): Promise<number> {
  // Ids carry the millisecond, and a round may begin in that in which the last one ended.
  const since = new Date(Math.floor(Date.now()) + 1);
  while (Date.now() < since.getTime());
  const begunMs = performance.now();
  const ids = await submit();
  const [last = ''] = ids.slice(-1);
  await readResults(edge.grid, since, tasks, last);
  return (tasks / (performance.now() - begunMs)) * 1000;
}

async function race(
  field: Field,
  work: Work,
  startWorkers: (edge: Edge) => Promise<WorkerProcess>,
  measure: (edge: Edge) => Promise<number>,
): Promise<BenchLine> {
  const edge = await startEdge();
  try {
    const workers = await startWorkers(edge);
    try {
      const line = await compete(
        {
          ...work,
          bench: 'broker',
          unit: 'tasks/s',
          better: 'more',
          ours: () => measure(edge),
          read: ({ tasks_per_s: rate = NaN }) => rate,
        },
        field,
      );
      return { ...line, workers: workers.label };
    } finally {
      await workers.stop();
    }
  } finally {
    await edge.stop();
  }
}

/** How large a worker of each pool is, with 200 tasks at hand. */
const sizes: Record<Pool, WorkerSize> = {
  threads: { concurrency: availableParallelism(), prefetch: Math.floor(200 / availableParallelism()) },
  solo: { concurrency: 50, prefetch: 4 },
};

/** Batches of 1,000. @param pool the one that computes as the peer does; the other one’s figure stands beside it */
export async function bulk(
  name: string,
  field: Field,
  quick: boolean,
  { pool, request }: { pool: Pool; request: object },
): Promise<BenchLine> {
  const tasks = quick ? 2_000 : 20_000;
  const work = { case: name, rounds: quick ? 1 : 3, request };
  const measure = (edge: Edge): Promise<number> => rate(tasks, () => submitBatches(edge.grid, tasks));
  const line = await race(field, work, (edge) => startWorker(edge, pool, sizes[pool]), measure);
  const other = pool === 'solo' ? 'threads' : 'solo';
  const beside = await race(alone, work, (edge) => startWorker(edge, other, sizes[other]), measure);
  return { ...line, tasks, batch: batchCount, [other]: { ours: beside.ours, workers: beside.workers } };
}

/**
 * One task at a time from each of 32 submitters, to a worker with 32 slots. `connections` are 32 workers of one slot with a connection each, `over_plain_http`
 * submits to those without the SDK and its socket.
 */
export async function single(name: string, field: Field, quick: boolean): Promise<BenchLine> {
  const tasks = quick ? 1_000 : 10_000;
  const submitters = 32;
  const work = {
    case: name,
    rounds: quick ? 1 : 3,
    request: { work: 'single', tasks, submitters, concurrency: 32 },
  };
  const measure = (edge: Edge): Promise<number> =>
    rate(tasks, () => submitSingly(() => edge.grid.submit('ping', {}), tasks, submitters));
  const oneWorker = (edge: Edge): Promise<WorkerProcess> =>
    startWorker(edge, 'solo', { concurrency: submitters, prefetch: 1 });
  const many = (edge: Edge): Promise<WorkerProcess> => startSessions(edge, 32, { concurrency: 1, prefetch: 1 });
  const line = await race(field, work, oneWorker, measure);
  const { ours, peers, ratio, workers } = await race(field, work, many, measure);
  const plain = await race(alone, work, many, (edge) =>
    rateOverHttp(edge, tasks, () => submitSingly(byHttp(edge, submitters), tasks, submitters)),
  );
  return {
    ...line,
    tasks,
    submitters,
    connections: { ours, peers, ratio, workers },
    over_plain_http: { ours: plain.ours },
  };
}
