import { WebSocket } from 'undici';
import { Rng } from '#kernels/rng';
import type { GridEvent } from '#protocol';
import { Grid } from '../../client/sdk/index.ts';
import { startEdge } from '../broker/edge.ts';
import type { BenchLine, BenchOptions } from '../lib/line.ts';
import { campaignSpec } from './campaign.ts';
import { canvas } from './canvases.ts';
import { Chaos } from './chaos.ts';
import { violations } from './invariants.ts';
import { retries } from './history.ts';
import { Ledger } from './ledger.ts';
import { Proxy } from './proxy.ts';
import { table } from './report.ts';
import { readRest, untilOver } from './rest.ts';
import { heavySamples, sample, type Sample } from './samples.ts';
import { Submitter } from './submitter.ts';
import { Workers } from './workers.ts';

interface Plan {
  /** In each, tasks and workflows are submitted and workerd is killed. */
  readonly rounds: number;
  readonly tasksPerRound: number;
  readonly workflowsPerRound: number;
  /** Beside the kill of workerd. */
  readonly faultsPerRound: number;
  /** When nothing is disturbed any more and so long nothing ends, what is open waits for ever. */
  readonly patienceMs: number;
}

const whole: Plan = { rounds: 20, tasksPerRound: 500, workflowsPerRound: 4, faultsPerRound: 8, patienceMs: 60_000 };
const quickly: Plan = { rounds: 4, tasksPerRound: 250, workflowsPerRound: 4, faultsPerRound: 2, patienceMs: 30_000 };

/** A worker that is killed or stands still is missed soon; the edge computes as well. */
const config = { leaseMs: 4_000, heartbeatMs: 1_000, edgeConcurrency: 8 };

/**
 * Tasks and workflows of all kinds on the real thing, while workerd and workers are killed, and connections cut and stalled. The line counts how
 * often something that must hold did not; a table on standard error tells what was done and found.
 */
export async function* run({ quick, seed = 1 }: BenchOptions): AsyncGenerator<BenchLine> {
  const plan = quick ? quickly : whole;
  const begunMs = performance.now();
  const edge = await startEdge(config);
  const proxy = new Proxy(new URL(edge.url));
  const url = await proxy.listen();
  const workers = new Workers(url, edge.token, 3);
  const ledger = new Ledger();
  const submitter = new Submitter({ url, token: edge.token }, ledger, new Rng(seed, 1));
  const chaos = new Chaos({ edge, proxy, workers, rng: new Rng(seed, 2) });
  const listener = new Grid({ url, token: edge.token, WebSocket, heartbeatSeconds: 1 }).events({ after: 0 });
  const heard: GridEvent[] = [];
  try {
    const listening = (async () => {
      for await (const event of listener) heard.push(event);
    })();
    const calm = await edge.httpGrid.campaigns.run(campaignSpec);
    ledger.acceptCampaign(calm, 'calm');
    const heavy = await heavySamples(edge.httpGrid, ledger);
    await (await calm.result()).settled();
    submitter.runCampaign(campaignSpec, 'campaign');
    await live(plan, new Rng(seed, 3), { heavy, submitter, chaos });
    await submitter.accepted(plan.patienceMs);
    await untilOver(edge.httpGrid, plan.patienceMs);
    await submitter.heard(plan.patienceMs);
    ledger.close();
    const rest = await readRest(edge.httpGrid, ledger, heard, plan.patienceMs);
    const found = violations(ledger, rest);
    listener.close();
    await listening;
    const done = {
      tasks: ledger.samples.size,
      workflows: ledger.workflows.size,
      campaigns: ledger.campaigns.size - 1,
      submitted_again: ledger.repeats,
      ...chaos.done,
      ...retries(rest.events),
      seconds: Math.round((performance.now() - begunMs) / 1000),
    };
    console.error(table(done, found));
    const count = Object.values(found).flat().length;
    yield {
      bench: 'faults',
      case: 'violations',
      unit: 'violations',
      ours: count,
      peers: {},
      ratio: null,
      ...done,
      seed,
    };
    if (count > 0) process.exitCode = 1;
  } finally {
    listener.close();
    submitter.close();
    await workers.stop();
    await proxy.close();
    await edge.stop();
  }
}

interface Actors {
  readonly heavy: readonly Sample[];
  readonly submitter: Submitter;
  readonly chaos: Chaos;
}

/** Resolves when everything has been submitted and nothing is disturbed any more. */
async function live(plan: Plan, rng: Rng, { heavy, submitter, chaos }: Actors): Promise<void> {
  const { rounds, tasksPerRound, workflowsPerRound, faultsPerRound } = plan;
  for (let round = 0; round < rounds; round++) {
    const numbers = (count: number): number[] => Array.from({ length: count }, (_, k) => round * count + k);
    const samples = numbers(tasksPerRound).map((n) => sample(n, rng, heavy));
    const canvases = numbers(workflowsPerRound).map((n) => canvas(n, rng));
    const half = Math.floor(samples.length / 2);
    submitter.submit(samples.slice(0, half));
    await chaos.disturb(faultsPerRound);
    submitter.submit(samples.slice(half));
    for (const [k, made] of canvases.entries()) submitter.run(made, `workflow-${round}-${k}`);
    // In the middle of taking them in, now and then while it starts again.
    await chaos.killEdge(300);
  }
}
