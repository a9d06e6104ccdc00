import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import {
  campaignSpecSchema,
  sha256Hex,
  sortableId,
  type Assignment,
  type CampaignId,
  type CampaignSpec,
  type CampaignView,
  type Json,
  type JsonObject,
  type TaskId,
  type WorkerId,
} from '#protocol';
import { Rng } from '#kernels/rng';
import type { Broker } from '../../../edge/broker/broker.ts';
import { eventsOf } from '../../../edge/broker/event-row.ts';
import type { StoredEvent } from '../../../edge/broker/events.ts';
import { brokerShard, type BrokerApi } from '../../../edge/broker/rpc.ts';
import type { Campaign } from '../../../edge/campaign/campaign.ts';
import type { TaskEnd } from '../../../edge/campaign/core/rehearse.ts';
import { campaignObject, type CampaignApi } from '../../../edge/campaign/rpc.ts';
import type { Env } from '../../../edge/env.ts';
import { writeFile } from '../../../edge/files/access.ts';
import { alice, ok } from './broker.ts';
import { evictAll } from './evict.ts';

export const testEnv = env as unknown as Env;

/** 30 designs of two inputs, each tested twice. */
export const poolCsv = [
  'a,b,y',
  ...Array.from({ length: 30 }, (_, i) => [i % 6, Math.floor(i / 6)]).flatMap(([a = 0, b = 0]) => [
    `${a},${b},${value(a, b) - 0.5}`,
    `${a},${b},${value(a, b) + 0.5}`,
  ]),
].join('\n');

function value(a: number, b: number): number {
  return 10 - (a - 4) * (a - 4) - (b - 2) * (b - 2);
}

export function poolSpec(changes: Partial<CampaignSpec> = {}): CampaignSpec {
  return campaignSpecSchema.parse({
    name: 'pool',
    space: { pool: '/datasets/pool.csv' },
    objectives: [{ name: 'y', goal: 'max' }],
    evaluator: { kind: 'table', path: '/datasets/pool.csv' },
    surrogate: { kind: 'mlp', members: 3 },
    initial: 3,
    batch_size: 2,
    budget: 9,
    seed: 1,
    ...changes,
  });
}

export function boxSpec(changes: Partial<CampaignSpec> = {}): CampaignSpec {
  return campaignSpecSchema.parse({
    name: 'box',
    space: {
      inputs: [
        { name: 'a', type: 'float', min: 0, max: 6 },
        { name: 'b', type: 'integer', min: 0, max: 5 },
      ],
    },
    objectives: [{ name: 'y', goal: 'max' }],
    evaluator: { kind: 'named', name: 'sim' },
    surrogate: { kind: 'mlp', members: 2 },
    initial: 3,
    batch_size: 2,
    budget: 7,
    seed: 7,
    ...changes,
  });
}

/** Stands in for the kernels: results that are functions of the arguments alone. */
export function compute(task: string, kwargs: JsonObject): TaskEnd {
  const success = (result: Json): TaskEnd => ({ state: 'SUCCESS', result, error: null });
  switch (task) {
    case 'train_surrogate': {
      const { model_path: path, members } = kwargs;
      return success({
        model_path: path ?? '',
        sha256: sha256Hex(JSON.stringify(kwargs.rows ?? kwargs.dataset_path)),
        members: members ?? 1,
        epochs_run: [1],
        train_loss: 0.5,
        validation: null,
      });
    }
    case 'score_candidates':
      return success({ proposals: score(kwargs) });
    case 'run_cmaes_optimization':
      return success(search(kwargs));
    case 'evaluate_candidates': {
      const candidates = kwargs.candidates as { a: number; b: number }[];
      return success({ values: candidates.map(({ a, b }) => ({ y: value(a, b) })), failed: [] });
    }
    default:
      throw new Error(`nobody computes ${task}`);
  }
}

function score({ exclude, count, seed }: JsonObject): Json[] {
  const tried = new Set(exclude as number[]);
  const rng = new Rng(seed as number);
  const rows = Uint32Array.from({ length: 30 }, (_, design) => 2 * design).filter((row) => !tried.has(row));
  rng.shuffle(rows);
  return Array.from(rows.subarray(0, count as number), (row) => ({
    row,
    inputs: [(row / 2) % 6, Math.floor(row / 12)],
    score: 1,
    mean: 5,
    std: 1,
    prediction: { mean: [5], std: [1] },
  }));
}

function search({ seed, bounds }: JsonObject): Json {
  const rng = new Rng(seed as number);
  const [lower, upper] = bounds as [number[], number[]];
  const x = lower.map((low, k) => low + rng.uniform() * (upper[k]! - low));
  return {
    x: x.map((value, k) => (k === 1 ? Math.round(value) : value)),
    fun: rng.uniform(),
    evaluations: 10,
    iterations: 1,
    restarts: 0,
    stop: { maxfevals: 10 },
    prediction: { mean: [5], std: [1] },
  };
}

/** One campaign, its broker, and workers that the test plays. */
export class CampaignWorld {
  readonly id: CampaignId;
  taskId = '' as TaskId;
  /** What workers answer; a test may replace it. */
  compute: (task: string, kwargs: JsonObject) => TaskEnd = compute;

  constructor() {
    this.id = `c-${sortableId(Date.now(), crypto.getRandomValues(new Uint8Array(10)))}` as CampaignId;
  }

  static async start(spec: CampaignSpec): Promise<CampaignWorld> {
    const world = new CampaignWorld();
    await writeFile(testEnv, 'alice', '/datasets/pool.csv', new TextEncoder().encode(poolCsv), 'text/csv');
    world.taskId = (await ok(world.api.create(alice, world.id, spec))).task_id;
    return world;
  }

  get stub(): DurableObjectStub<Campaign> {
    return testEnv.CAMPAIGN.get(testEnv.CAMPAIGN.idFromName(this.id));
  }

  get api(): CampaignApi {
    return campaignObject(testEnv, this.id);
  }

  get brokerStub(): DurableObjectStub<Broker> {
    return testEnv.BROKER.get(testEnv.BROKER.idFromName('broker-0'));
  }

  get broker(): BrokerApi {
    return brokerShard(testEnv, 0);
  }

  view(): Promise<CampaignView> {
    return ok(this.api.view(alice));
  }

  async evict(): Promise<void> {
    await evictAll();
  }

  /** Carries all messages and does all chores, until nothing is under way between the objects. */
  async settle(): Promise<void> {
    const waiting = (state: DurableObjectState): boolean =>
      state.storage.sql.exec('SELECT 1 FROM outbox LIMIT 1').toArray().length > 0;
    for (let isBusy = true; isBusy;) {
      await runInDurableObject(this.stub, (campaign) => campaign.campaigning.engine.alarm());
      await runInDurableObject(this.brokerStub, (broker) => broker.broking.core.outbox.flush());
      const [inCampaign, inBroker] = await Promise.all([
        runInDurableObject(this.stub, (_, state) => waiting(state)),
        runInDurableObject(this.brokerStub, (_, state) => waiting(state)),
      ]);
      isBusy = inCampaign || inBroker;
    }
  }

  async lease(count = 100): Promise<Assignment[]> {
    await this.settle();
    return ok(
      this.broker.lease(alice, {
        worker_id: 'w' as WorkerId,
        queues: ['default'],
        count,
        capabilities: {
          runtime: 'node',
          cores: 1,
          gpu: false,
          tasks: ['train_surrogate', 'score_candidates', 'run_cmaes_optimization', 'evaluate_candidates'],
          evaluators: ['sim'],
        },
        kernel_digest: 'a'.repeat(64),
      }),
    );
  }

  async report({ task, task_id: taskId, attempt, kwargs }: Assignment): Promise<void> {
    const end = this.compute(task, kwargs);
    const reply = await (end.error === null
      ? this.broker.result(alice, taskId, { attempt, result: end.result })
      : this.broker.failure(alice, taskId, { attempt, error: end.error, retryable: false }));
    // A campaign that has ended meanwhile has revoked what was under way.
    if ('error' in reply && reply.error.code !== 'lease_lost') throw new Error(reply.error.message);
  }

  /** Plays workers until the campaign is over or pauses for want of tasks. `disturb` is called before each report. */
  async work(
    disturb: () => Promise<void> = () => Promise.resolve(),
    order: (tasks: Assignment[]) => Assignment[] = (tasks) => tasks,
  ): Promise<CampaignView> {
    for (let tasks = await this.lease(); tasks.length > 0; tasks = await this.lease()) {
      for (const assignment of order(tasks)) {
        await disturb();
        await this.report(assignment);
      }
    }
    await this.settle();
    return this.view();
  }

  async export(): Promise<{ observations: Json[]; history: JsonObject[]; state: string }> {
    const { body } = await ok(this.api.exportAs(alice, 'json'));
    return JSON.parse(body) as { observations: Json[]; history: JsonObject[]; state: string };
  }

  /** The campaign’s events, in order. */
  async brokerEvents(): Promise<StoredEvent[]> {
    const rows = await runInDurableObject(this.brokerStub, (_, state) =>
      state.storage.sql
        .exec<{ first_seq: number; items: string }>('SELECT first_seq, items FROM events ORDER BY first_seq')
        .toArray(),
    );
    const events = rows.flatMap(({ first_seq: firstSeq, items }) => eventsOf(firstSeq, items));
    return events.filter((event) => event.campaign_id === this.id && event.type.startsWith('campaign-'));
  }

  rows<Row extends Record<string, SqlStorageValue>>(query: string): Promise<Row[]> {
    return runInDurableObject(this.stub, (_, state) => state.storage.sql.exec<Row>(query).toArray());
  }
}
