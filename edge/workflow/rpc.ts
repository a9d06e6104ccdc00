import type { CanvasNode, Principal, TaskId, TaskParent, WorkflowId, WorkflowStarted, WorkflowView } from '#protocol';
import type { ParentApi } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import { stubOf } from '../lib/delivery.ts';
import type { ObjectAddress } from '../lib/outbox.ts';
import type { Reply } from '../lib/rpc.ts';
import type { Sources } from './core/types.ts';

/** What the Workflow object offers. All answers are `Reply`s. A stranger’s workflow is `not_found`. */
export interface WorkflowApi extends ParentApi {
  /**
   * What was answered when the workflow of this id was started; null when it was not.
   * @throws idempotency_conflict where it was started with another canvas.
   */
  started(principal: Principal, digest: string): Promise<Reply<WorkflowStarted | null>>;
  /**
   * Starts the workflow of this id with a canvas that has been checked. The same once more answers as the first time.
   * @param digest of the canvas, in canonical JSON.
   * @throws idempotency_conflict
   */
  create(
    principal: Principal,
    workflowId: WorkflowId,
    canvas: CanvasNode,
    sources: Sources,
    digest: string,
  ): Promise<Reply<WorkflowStarted>>;
  view(principal: Principal): Promise<Reply<WorkflowView>>;
  /** The workflow once it is final, or as it is after `seconds`. */
  wait(principal: Principal, seconds: number): Promise<Reply<WorkflowView>>;
  /** Nothing new begins, and what is under way is revoked; with `terminate` it is stopped. A final workflow stays as it is. */
  revoke(principal: Principal, terminate: boolean): Promise<Reply<WorkflowView>>;
  /** As a drawing in the DOT language. */
  graph(principal: Principal): Promise<Reply<string>>;
}

/** What other objects say to a Workflow through their outbox, beside what the Broker does. */
export type ToWorkflow = Creation & { readonly type: 'create' };

/** A workflow that no request starts. Said twice, it is started once. */
export interface Creation {
  readonly workflow_id: WorkflowId;
  /** Of the task that stands for it. */
  readonly task_id: TaskId;
  readonly owner: string;
  readonly canvas: CanvasNode;
  /** What started it. */
  readonly parent: TaskParent;
}

export function workflowAddress(workflowId: WorkflowId): ObjectAddress {
  return { object: 'workflow', name: workflowId };
}

/** The workflow as callers see it. */
export function workflowObject(env: Env, workflowId: WorkflowId): WorkflowApi {
  return stubOf<WorkflowApi>(env, workflowAddress(workflowId));
}
