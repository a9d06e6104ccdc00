import { median, type BenchLine } from '../lib/line.ts';
import { startEdge, type Edge } from './edge.ts';
import { cpuMs } from './process.ts';
import { readAll, submitBatches, submitSingly, takeResults } from './submitter.ts';
import { startSessions, startWorker } from './workers.ts';

/** µs of workerd’s processor time per task. It says what the broker can do at most, however busy the machine is with others. */
type Cost = Readonly<Record<string, number>>;

class Meter {
  readonly #edge: Edge;
  readonly #tasks: number;
  readonly spent: Record<string, number> = {};

  constructor(edge: Edge, tasks: number) {
    this.#edge = edge;
    this.#tasks = tasks;
  }

  async time<T>(phase: string, work: () => Promise<T>): Promise<T> {
    const before = await cpuMs(this.#edge.pid());
    const answer = await work();
    const after = await cpuMs(this.#edge.pid());
    this.spent[phase] = before === null || after === null ? NaN : ((after - before) * 1000) / this.#tasks;
    return answer;
  }
}

/** Batches of 1,000, and each phase by itself: submitted while nobody computes, computed while nobody asks, read. */
async function inBatches(edge: Edge, tasks: number): Promise<Cost> {
  const meter = new Meter(edge, tasks);
  const since = nextMillisecond();
  const submitted = await meter.time('submit', () => submitBatches(edge.httpGrid, tasks));
  const [last] = submitted.slice(-1);
  await meter.time('compute', async () => {
    const workers = await startWorker(edge, 'solo', { concurrency: 50, prefetch: 4 });
    await last?.settled();
    await workers.stop();
  });
  await meter.time('read', () => readAll(edge.grid, since));
  return meter.spent;
}

/** One task a message, as `single` has it: 32 submitters on the SDK’s socket, 32 workers that take one at a time; and what they cost beside workerd. */
async function oneByOne(edge: Edge, tasks: number): Promise<Cost> {
  const workers = await startSessions(edge, 32, { concurrency: 1, prefetch: 1 });
  const processes = { edge: edge.pid(), workers: workers.pid, submitter: process.pid };
  const read = async (): Promise<Cost> => {
    const spent = Object.entries(processes).map(async ([name, pid]) => [name, (await cpuMs(pid)) ?? NaN] as const);
    return Object.fromEntries(await Promise.all(spent));
  };
  const before = await read();
  await takeResults(await submitSingly(() => edge.grid.submit('ping', {}), tasks, 32));
  const after = await read();
  await workers.stop();
  return Object.fromEntries(
    Object.keys(processes).map((name) => [name, (((after[name] ?? NaN) - (before[name] ?? NaN)) * 1000) / tasks]),
  );
}

/** Ids carry the millisecond: what is submitted from now on has a later one than what was submitted before. */
function nextMillisecond(): Date {
  const since = new Date(Math.floor(Date.now()) + 1);
  while (Date.now() < since.getTime());
  return since;
}

async function medianCost(rounds: number, measure: () => Promise<Cost>): Promise<Cost> {
  const costs: Cost[] = [];
  for (let round = -1; round < rounds; round++) {
    // Compilers and caches are warm after the first round.
    const cost = await measure();
    if (round >= 0) costs.push(cost);
  }
  const phases = Object.keys(costs[0] ?? {});
  return Object.fromEntries(phases.map((phase) => [phase, median(costs.map((cost) => cost[phase] ?? NaN))]));
}

/** Processor time of workerd for a task from its submission until its result has been read. */
export async function cost(name: string, quick: boolean): Promise<BenchLine> {
  const rounds = quick ? 1 : 3;
  const edge = await startEdge();
  try {
    const batches = await medianCost(rounds, () => inBatches(edge, quick ? 4_000 : 20_000));
    const single = await medianCost(rounds, () => oneByOne(edge, quick ? 2_000 : 10_000));
    return {
      bench: 'broker',
      case: name,
      unit: 'µs of processor time per task',
      ours: Object.values(batches).reduce((sum, phase) => sum + phase, 0),
      peers: {},
      ratio: null,
      made_of: batches,
      one_by_one: single,
    };
  } finally {
    await edge.stop();
  }
}
