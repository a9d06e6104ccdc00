import type { BenchLine } from '../lib/line.ts';
import { startEdge, type Edge } from './edge.ts';
import { cpuMs, residentMegabytes } from './process.ts';
import { submitBatches } from './submitter.ts';

const queue = 'backlog';
/** Whose tasks nobody takes; they only warm compilers and caches up and let the heap grow to what accepting tasks needs. */
const warmingQueue = 'warming';

/** What claiming and ending one task costs. */
interface ClaimCost {
  /** Processor time of workerd; null where the system does not tell. */
  readonly cpuMs: number | null;
  readonly elapsedMs: number;
}

/** Takes tasks one by one over HTTP and reports each. */
async function claim(edge: Edge, count: number): Promise<ClaimCost> {
  const cpuBefore = await cpuMs(edge.pid());
  const begunMs = performance.now();
  for (let i = 0; i < count; i++) {
    const { leases } = await edge.grid.request<{ leases: { task_id: string; attempt: number }[] }>(
      'POST',
      '/v1/leases',
      { queues: [queue] },
    );
    const [lease] = leases;
    if (lease === undefined) throw new Error('there was nothing to claim');
    const result = { status: 'pong', worker: 'bench' };
    await edge.grid.request('POST', `/v1/leases/${lease.task_id}/result`, { attempt: lease.attempt, result });
  }
  const elapsedMs = (performance.now() - begunMs) / count;
  const cpuAfter = await cpuMs(edge.pid());
  return { cpuMs: cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / count, elapsedMs };
}

/** Claims from a short and from a long queue, and what a million waiting tasks take of workerd’s memory. */
export async function backlog(name: string, quick: boolean): Promise<BenchLine> {
  const few = 1_000;
  const many = quick ? 100_000 : 1_000_000;
  const claims = quick ? 100 : 2_000;
  const edge = await startEdge();
  try {
    await submitBatches(edge.httpGrid, many / 5, 1_000, warmingQueue);
    await submitBatches(edge.httpGrid, few, 1_000, queue);
    await claimKeeping(edge, few, claims);
    const before = residentMegabytes(edge.pid());
    const short = await claimKeeping(edge, few, claims);
    const begunMs = performance.now();
    await submitBatches(edge.httpGrid, many - few, 1_000, queue);
    const acceptedPerSecond = (many - few) / ((performance.now() - begunMs) / 1000);
    const after = residentMegabytes(edge.pid());
    const long = await claim(edge, claims);
    const cost = ({ cpuMs, elapsedMs }: ClaimCost): number => cpuMs ?? elapsedMs;
    return {
      bench: 'broker',
      case: name,
      unit: `cost of a claim with ${many} tasks waiting, relative to ${few}`,
      ours: cost(long) / cost(short),
      peers: {},
      ratio: null,
      claim_ms: { [few]: short, [many]: long },
      growth_megabytes: after - before,
      resident_megabytes: { before, after },
      accepted_per_s: acceptedPerSecond,
    };
  } finally {
    await edge.stop();
  }
}

/** Claims while the queue stays about as long as it is. */
async function claimKeeping(edge: Edge, waiting: number, claims: number): Promise<ClaimCost> {
  const costs: ClaimCost[] = [];
  const step = Math.min(claims, waiting / 4);
  for (let done = 0; done < claims; done += step) {
    costs.push(await claim(edge, step));
    await submitBatches(edge.httpGrid, step, 1_000, queue);
  }
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const cpu = costs.flatMap((cost) => cost.cpuMs ?? []);
  return { cpuMs: cpu.length === 0 ? null : mean(cpu), elapsedMs: mean(costs.map((cost) => cost.elapsedMs)) };
}
