import { catalog } from '#catalog';
import {
  isoTime,
  limits,
  sha256Hex,
  shardOf,
  sortableId,
  TabgridError,
  type CanvasNode,
  type TaskId,
  type WorkflowId,
} from '#protocol';
import { brokerAddress, type ToBroker } from '../broker/rpc.ts';
import type { EdgeConfig } from '../config.ts';
import { bytesOfHash } from '../lib/ids.ts';
import { jsonBytes } from '../lib/json-bytes.ts';
import type { ObjectAddress } from '../lib/outbox.ts';
import { acceptingShards, homeShard } from '../lib/shards.ts';
import { prepare } from '../tasks/prepare.ts';
import { checkCanvas } from '../workflow/core/check.ts';
import { workflowAddress, type ToWorkflow } from '../workflow/rpc.ts';
import type { StoredSchedule } from './store.ts';

/** By this label a schedule’s tasks are found and revoked. */
function scheduleLabel(name: string): string {
  return `schedule:${name}`;
}

/** Why a task is submitted: for a tick, or because somebody asked, under a key of its own. */
export type Cause = { readonly tickMs: number } | { readonly key: string; readonly nowMs: number };

/**
 * The id of a schedule’s task follows from the schedule and its tick, so that a Broker shard that has the task already leaves it alone even
 * when the beat itself was set back, as by a backup. Its time is the tick’s.
 *
 * @param home whose home shard it must go to; absent where any will do
 */
export function taskIdOf(scheduleId: string, cause: Cause, shards: readonly number[], home?: string): TaskId {
  const [timeMs, what] = 'tickMs' in cause ? [cause.tickMs, cause.tickMs] : [cause.nowMs, `run ${cause.key}`];
  const hash = sha256Hex(`${scheduleId} ${what}`);
  return `${homeShard(home ?? hash, shards)}-${sortableId(timeMs, bytesOfHash(hash))}` as TaskId;
}

/** What a schedule sends: a task to its shard, or a whole workflow to an object of its own. */
export interface Work {
  /** Of the task, or of the one that stands for the workflow. */
  readonly taskId: TaskId;
  readonly queue: string;
  readonly target: ObjectAddress;
  readonly message: ToBroker | ToWorkflow;
}

/** @throws TabgridError when a task type does not take its arguments (any more). */
export function scheduledWork(
  schedule: Pick<StoredSchedule, 'owner' | 'name' | 'id' | 'spec'>,
  cause: Cause,
  nowMs: number,
  config: EdgeConfig,
): Work {
  const { owner, name, id, spec } = schedule;
  // Tasks under a concurrency limit are counted in their owner’s home shard.
  const isCounted = 'task' in spec.signature && spec.signature.concurrency_key !== undefined;
  const taskId = taskIdOf(id, cause, acceptingShards(config), isCounted ? owner : undefined);
  const parent = { schedule: name, tick: 'tickMs' in cause ? isoTime(cause.tickMs) : null };
  const labels = [...(spec.signature.labels ?? []), scheduleLabel(name)];
  if (!('task' in spec.signature)) {
    const canvas = { ...spec.signature, labels };
    checkCanvas(canvas);
    checkSize(canvas);
    const workflowId = `w-${taskId.slice(taskId.indexOf('-') + 1)}` as WorkflowId;
    return {
      taskId,
      queue: runWorkflowQueue,
      target: workflowAddress(workflowId),
      message: { type: 'create', workflow_id: workflowId, task_id: taskId, owner, canvas, parent },
    };
  }
  const task = { ...prepare({ ...spec.signature, labels }, { owner, nowMs, config, parent }), task_id: taskId };
  return {
    taskId,
    queue: task.queue,
    target: brokerAddress(shardOf(taskId)),
    message: { type: 'submit', tasks: [task] },
  };
}

const runWorkflowQueue = catalog.run_workflow.queue;

/** A schedule is one row. */
function checkSize(canvas: CanvasNode): void {
  const bytes = jsonBytes(canvas);
  if (bytes <= limits.maxArgumentsBytes) return;
  const message = `expected a canvas of at most ${limits.maxArgumentsBytes} bytes, got ${bytes}; larger data travels as a file`;
  throw new TabgridError('body_too_large', message, { details: { limit: limits.maxArgumentsBytes } });
}
