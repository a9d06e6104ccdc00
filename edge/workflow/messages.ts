import { findTaskType, type TaskType } from '#catalog';
import {
  shardOf,
  TabgridError,
  type EventType,
  type Json,
  type JsonObject,
  type Signature,
  type TaskId,
  type TaskParent,
} from '#protocol';
import { brokerAddress, type NewTask, type ParentEvent, type ToBroker } from '../broker/rpc.ts';
import type { EdgeConfig } from '../config.ts';
import { chunksOf } from '../lib/chunks.ts';
import { log } from '../lib/log.ts';
import { omit } from '../lib/omit.ts';
import type { Outbox } from '../lib/outbox.ts';
import { prepare } from '../tasks/prepare.ts';
import { rangePath } from './core/files.ts';
import { wholeRef } from './core/refs.ts';
import { stretchOf } from './core/items.ts';
import type { PlannedTask, WorkflowCore } from './core/types.ts';
import type { Registration } from './core/views.ts';

/** Tasks of one message: it is one row of the outbox, and rows hold at most 2 MB. */
const maxMessageChars = 500_000;

/** What a workflow says to the broker shards. Everything goes through the outbox, inside the caller’s transaction. */
export class BrokerMessages {
  readonly #workflow: Registration & { readonly core: WorkflowCore };
  readonly #config: EdgeConfig;
  readonly #outbox: Outbox<ToBroker>;

  constructor(workflow: Registration & { readonly core: WorkflowCore }, config: EdgeConfig, outbox: Outbox<ToBroker>) {
    this.#workflow = workflow;
    this.#config = config;
    this.#outbox = outbox;
  }

  /** The task that stands for the workflow. */
  announce(nowMs: number, parent: TaskParent | null): void {
    const { core, taskId } = this.#workflow;
    const task = prepare(
      { task: 'run_workflow', kwargs: { workflow_id: core.workflowId }, labels: [...core.labels] },
      {
        ...this.#context(nowMs),
        taskId: taskId,
        ref: wholeRef,
        ...(parent === null ? {} : { parent }),
      },
    );
    this.#toHome({ type: 'submit', tasks: [task] });
  }

  /**
   * Completes a planned task.
   * @param input what stands in front of its arguments; undefined for nothing.
   * @throws TabgridError when its arguments, now complete, do not fit.
   */
  prepare({ ref, taskId, node, call }: PlannedTask, input: Json | undefined, nowMs: number): NewTask {
    const planned = this.#workflow.core.plan[node];
    if (planned === undefined) throw new Error(`there is no node ${node}`);
    const labels = [...planned.labels];
    const context = { ...this.#context(nowMs), taskId, ref };
    if (call.kind === 'range') {
      const { signature, ...carried } = rangeOf(this.#workflow.core, node, call);
      return prepare({ ...signature, labels }, { ...context, ...carried });
    }
    const step = call.kind === 'errback' ? planned.linkError : planned.what.kind === 'task' ? planned.what.step : null;
    if (step === null) throw new Error(`node ${node} has no such step`);
    const args = [...(input === undefined ? [] : [input]), ...(step.args ?? [])];
    const own = call.kind === 'errback' ? (step.labels ?? []) : [];
    return prepare({ ...omit(step, 'immutable', 'link_error'), args, labels: [...labels, ...own] }, context);
  }

  /** Each shard gets its tasks in few messages. */
  submit(tasks: readonly NewTask[]): void {
    for (const [shard, own] of byShard(tasks, (task) => task.task_id)) {
      for (const chunk of chunksOf(own, maxMessageChars)) {
        this.#outbox.send(brokerAddress(shard), { type: 'submit', tasks: chunk });
      }
    }
  }

  revoke(taskIds: readonly TaskId[], terminate: boolean): void {
    for (const [shard, own] of byShard(taskIds, (id) => id)) {
      this.#outbox.send(brokerAddress(shard), { type: 'revoke', task_ids: own, terminate });
    }
  }

  event(type: EventType, data: Json, nowMs: number): void {
    const { core, owner } = this.#workflow;
    const item: ParentEvent = { type, time_ms: nowMs, workflow_id: core.workflowId, data };
    this.#toHome({ type: 'events', owner, items: [item] });
  }

  /** How far it has come, for those who watch the workflow and for those who watch its task. */
  progress(nowMs: number): void {
    const { core, taskId } = this.#workflow;
    const { total, succeeded, failed } = core.progress;
    this.event('workflow-progress', { ...core.progress }, nowMs);
    const fraction = total === 0 ? 1 : (succeeded + failed) / total;
    const message = `${succeeded + failed} of ${total}`;
    this.#toHome({
      type: 'progress',
      task_id: taskId,
      progress: { fraction, message, ...core.progress },
    });
  }

  finish(outcome: (ToBroker & { type: 'finish' })['outcome']): void {
    this.#toHome({ type: 'finish', task_id: this.#workflow.taskId, outcome });
  }

  #context(
    nowMs: number,
  ): Pick<Parameters<typeof prepare>[1], 'owner' | 'nowMs' | 'config' | 'parent' | 'notify'> & object {
    const { core, owner } = this.#workflow;
    return {
      owner,
      nowMs,
      config: this.#config,
      parent: { workflow_id: core.workflowId },
      notify: { object: 'workflow', name: core.workflowId },
    };
  }

  #toHome(message: ToBroker): void {
    this.#outbox.send(brokerAddress(shardOf(this.#workflow.taskId)), message);
  }
}

/** A range of an array as a signature of `starmap`. */
function rangeOf(
  core: WorkflowCore,
  node: number,
  { from, to }: { from: number; to: number },
): { signature: Signature; needs: readonly string[]; calls: TaskType | undefined } {
  const what = core.plan[node]?.what;
  if (what?.kind !== 'array') throw new Error('only arrays have ranges');
  const { array } = what;
  const kwargs: JsonObject = {
    task: array.task,
    kwargs: array.kwargs,
    star: array.star,
    items: stretchOf(array, from, to),
    first: from,
    result_path: rangePath(core, node, from),
  };
  const signature = { ...array.options, task: 'starmap', kwargs };
  return { signature, needs: array.needs, calls: findTaskType(array.task) };
}

function byShard<T>(items: readonly T[], idOf: (item: T) => TaskId | undefined): Map<number, T[]> {
  const shards = new Map<number, T[]>();
  for (const item of items) {
    const id = idOf(item);
    if (id === undefined) throw new Error('a workflow names its tasks itself');
    const own = shards.get(shardOf(id)) ?? [];
    shards.set(shardOf(id), own);
    own.push(item);
  }
  return shards;
}

/** Why a part of the workflow ends. A defect does so too, in words: it would come again with each delivery of the same message. */
export function refusalOf(error: unknown): TabgridError {
  if (error instanceof TabgridError) return error;
  log('error', 'workflow-failed', { error });
  return new TabgridError('internal', 'Something went wrong in Tabgrid; the log has the details.');
}
