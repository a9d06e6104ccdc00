import { runInDurableObject } from 'cloudflare:test';
import {
  type Assignment,
  type Json,
  type JsonObject,
  type TaskId,
  type TaskView,
  type WorkerId,
  type WorkflowId,
  type WorkflowStarted,
  type WorkflowView,
} from '#protocol';
import type { Broker } from '../../../edge/broker/broker.ts';
import { brokerShard } from '../../../edge/broker/rpc.ts';
import type { Workflow } from '../../../edge/workflow/workflow.ts';
import { workflowObject, type WorkflowApi } from '../../../edge/workflow/rpc.ts';
import { ask, testEnv, tokenFor, type Ask } from './api.ts';
import { ok, principal } from './broker.ts';
import { evictAll } from './evict.ts';

export type End = { result: Json } | { failure: string };

/** A step that workers of these tests compute: the evaluator’s name says how. */
export function call(how: 'sum' | 'pair' | 'fail' | 'big', ...numbers: number[]): JsonObject {
  const args = numbers.length === 0 ? [] : [[numbers]];
  return { task: 'evaluate_candidates', args, kwargs: { evaluator: { kind: 'named', name: how } } };
}

export const bigText = 'x'.repeat(600_000);

function callEnd(kwargs: JsonObject): End {
  const { candidates, evaluator } = kwargs as { candidates: Json; evaluator: { name: string } };
  const sum = JSON.stringify(candidates)
    .split(/[^\d]+/)
    .reduce((total, digits) => total + Number(digits), 0);
  if (evaluator.name === 'fail') return { failure: `${sum} is too much` };
  if (evaluator.name === 'big') return { result: { sum, text: bigText } };
  return { result: evaluator.name === 'pair' ? [sum, 100 - sum] : [[sum + 1]] };
}

/** One owner with their workflows, the broker, and workers that the test plays. */
export class WorkflowWorld {
  readonly owner = `owner-${crypto.randomUUID()}`;
  readonly token = tokenFor(['submit', 'read', 'work'], { sub: this.owner });
  readonly principal = principal(this.owner);
  id = '' as WorkflowId;
  taskId = '' as TaskId;
  /** What workers answer to a range; a test may replace it. */
  range: (kwargs: JsonObject) => End = () => ({ result: [] });
  /** Every task that was given out, by the order of its first lease. */
  readonly given: Assignment[] = [];

  static async start(canvas: unknown, headers: Record<string, string> = {}): Promise<WorkflowWorld> {
    const world = new WorkflowWorld();
    await world.submit(canvas, headers);
    return world;
  }

  ask(method: string, path: string, options: Ask = {}): Promise<Response> {
    return ask(method, path, { token: this.token, ...options });
  }

  async submit(canvas: unknown, headers: Record<string, string> = {}): Promise<WorkflowStarted> {
    const answer = await this.ask('POST', '/v1/workflows', { json: canvas, headers });
    const body = await answer.json<WorkflowStarted>();
    if (answer.status !== 202) throw new Error(`${answer.status} ${JSON.stringify(body)}`);
    this.id = body.workflow_id;
    this.taskId = body.task_id;
    return body;
  }

  get stub(): DurableObjectStub<Workflow> {
    return testEnv.WORKFLOW.get(testEnv.WORKFLOW.idFromName(this.id));
  }

  get api(): WorkflowApi {
    return workflowObject(testEnv, this.id);
  }

  shardStub(shard: number): DurableObjectStub<Broker> {
    return testEnv.BROKER.get(testEnv.BROKER.idFromName(`broker-${shard}`));
  }

  inside<T>(run: (workflow: Workflow, state: DurableObjectState) => T | Promise<T>): Promise<T> {
    return runInDurableObject(this.stub, run);
  }

  view(): Promise<WorkflowView> {
    return ok(this.api.view(this.principal));
  }

  /** Unmakes everything. Its real alarm might start the object anew in that very moment, so it is taken away. */
  async evict(): Promise<void> {
    await this.inside((_, state) => state.storage.deleteAlarm());
    await evictAll();
  }

  rows<Row extends Record<string, SqlStorageValue>>(query: string): Promise<Row[]> {
    return this.inside((_, state) => state.storage.sql.exec<Row>(query).toArray());
  }

  /** Carries all messages and writes all files, until nothing is under way between the objects. */
  async settle(shards = [0]): Promise<void> {
    const brokers = shards.map((shard) => this.shardStub(shard));
    const isWaiting = (state: DurableObjectState): boolean =>
      state.storage.sql.exec('SELECT 1 FROM outbox LIMIT 1').toArray().length > 0;
    const eventSeqs = (): Promise<number[]> =>
      Promise.all(brokers.map((stub) => runInDurableObject(stub, ({ broking }) => broking.core.events.seq)));
    for (let isBusy = true; isBusy;) {
      const before = await eventSeqs();
      for (const stub of brokers) await runInDurableObject(stub, ({ broking }) => broking.core.outbox.flush());
      await this.inside((workflow) => workflow.workflowing.engine.alarm());
      isBusy = await this.inside((_, state) => isWaiting(state));
      for (const stub of brokers) {
        // Light tasks run by themselves.
        isBusy ||= await runInDurableObject(
          stub,
          ({ broking: { core } }, state) => isWaiting(state) || core.leases.countOf('edge' as WorkerId) > 0,
        );
      }
      // One may have ended after its workflow was looked at.
      isBusy ||= String(before) !== String(await eventSeqs());
    }
  }

  async lease(count = 300, shard = 0): Promise<Assignment[]> {
    const tasks = await ok(
      brokerShard(testEnv, shard).lease(this.principal, {
        worker_id: `w-${this.owner}` as WorkerId,
        queues: ['default', this.owner],
        count,
        capabilities: {
          runtime: 'node',
          cores: 1,
          gpu: false,
          tasks: ['evaluate_candidates', 'starmap'],
          evaluators: ['sum', 'pair', 'fail', 'big'],
        },
        kernel_digest: 'a'.repeat(64),
      }),
    );
    const own = tasks.filter(({ owner }) => owner === this.owner);
    const known = new Set(this.given.map(({ task_id: id }) => id));
    this.given.push(...own.filter(({ task_id: id }) => !known.has(id)));
    return own;
  }

  async report({ task, task_id: taskId, attempt, kwargs }: Assignment, shard = 0): Promise<void> {
    const end = task === 'starmap' ? this.range(kwargs) : callEnd(kwargs);
    const broker = brokerShard(testEnv, shard);
    const reply = await ('result' in end
      ? broker.result(this.principal, taskId, { attempt, result: end.result })
      : broker.failure(this.principal, taskId, {
          attempt,
          error: { type: 'task_failed', message: end.failure },
          retryable: false,
        }));
    if ('error' in reply && reply.error.code !== 'lease_lost') throw new Error(reply.error.message);
  }

  /** Plays workers until the workflow has nothing to do. `disturb` is called before each report. */
  async work(
    disturb: () => Promise<void> = () => Promise.resolve(),
    order: (tasks: Assignment[]) => Assignment[] = (tasks) => tasks,
  ): Promise<WorkflowView> {
    await this.settle();
    for (let tasks = await this.lease(); tasks.length > 0; tasks = await this.lease()) {
      for (const assignment of order(tasks)) {
        await disturb();
        await this.report(assignment);
      }
      await this.settle();
    }
    return this.view();
  }

  /** Its tasks at the broker, the one that stands for it not among them, oldest first. */
  async tasks(): Promise<TaskView[]> {
    const { tasks } = await ok(brokerShard(testEnv, 0).list(this.principal, { limit: 1000 }));
    return tasks.filter(({ task }) => task !== 'run_workflow').reverse();
  }

  async read(path: string): Promise<string> {
    return (await this.ask('GET', `/v1/files${path}`)).text();
  }

  async write(path: string, text: string): Promise<void> {
    const answer = await this.ask('PUT', `/v1/files${path}`, { body: text });
    if (!answer.ok) throw new Error(await answer.text());
  }
}
