import type {
  ErrorCode,
  EventType,
  Json,
  JsonObject,
  Outcome,
  Step,
  TaskError,
  TaskId,
  TaskOptions,
  WorkflowError,
  WorkflowId,
  WorkflowProgress,
  WorkflowState,
} from '#protocol';

import type { KnownItems } from './items.ts';

/** What `items: {file}` came to when the workflow was submitted. */
export interface FileItems {
  /** A second name for the same bytes, so that they stay whatever becomes of the first. */
  readonly path: string;
  readonly sha256: string;
  readonly count: number;
  /** The first item, by which arguments are checked; absent from an empty file. */
  readonly first?: Json;
}

/** By the path that the canvas names. */
export type Sources = Readonly<Record<string, FileItems>>;

/** What an array’s calls share. */
export interface ArrayPlan {
  readonly task: string;
  readonly kwargs: JsonObject;
  readonly star: boolean;
  readonly items: KnownItems;
  readonly count: number;
  /** Items of one task, and then the result is a list of lists; null where it is left to us. */
  readonly size: number | null;
  /** What a worker must provide beside `starmap`. */
  readonly needs: readonly string[];
  readonly options: Omit<TaskOptions, 'labels'>;
}

/** A part of a canvas as it is run. A chord is the chain of a group, its header, and its body. */
export interface PlanNode {
  readonly parent: number | null;
  /** Among the children of its parent. */
  readonly position: number;
  /** Where it stands in the canvas, such as `chain.1.group.0`. */
  readonly path: string;
  readonly children: readonly number[];
  /** Of its tasks: those of all parts around it, and its own. */
  readonly labels: readonly string[];
  readonly linkError: Step | null;
  readonly what:
    | { readonly kind: 'task'; readonly step: Step }
    | { readonly kind: 'chain' | 'chord' | 'group' }
    | { readonly kind: 'array'; readonly array: ArrayPlan };
}

/** A stretch of an array that is under way as a task. */
export interface OpenRange {
  readonly index: number;
  readonly from: number;
  readonly to: number;
  readonly taskId: TaskId;
}

/** How far an array has come: a cursor and what is under way, however many items there are. */
export interface ArrayState {
  /** The first item that no task has been submitted for. */
  readonly cursor: number;
  /** Ranges submitted. */
  readonly ranges: number;
  readonly open: readonly OpenRange[];
  /** Ranges that may be open at the same time. */
  readonly window: number;
  /** What ranges that have succeeded came to; from it follows how large the next ones are. */
  readonly done: { readonly items: number; readonly runtimeMs: number; readonly bytes: number };
}

export type NodePhase =
  'waiting' | 'running' | /** Its result is being written as a file. */ 'writing' | 'succeeded' | 'failed' | 'revoked';

export interface NodeState {
  readonly phase: NodePhase;
  /** The task of a step. */
  readonly taskId?: TaskId;
  readonly array?: ArrayState;
  /** Of the result as JSON, once it has succeeded. */
  readonly bytes?: number;
  /** Where the result lies if it is large. */
  readonly file?: string;
  readonly error?: WorkflowError;
  /** The task of its `link_error`, and whether it is still under way. */
  readonly errback?: { readonly taskId: TaskId; readonly state: 'running' | 'succeeded' | 'failed' };
}

/** What fits one small row: everything but the nodes. */
export interface WorkflowHead {
  readonly workflowId: WorkflowId;
  readonly state: WorkflowState;
  readonly progress: WorkflowProgress;
  readonly error: WorkflowError | null;
  readonly labels: readonly string[];
  readonly createdMs: number;
  readonly finishedMs: number | null;
}

/** All that a workflow is, but the results of its parts. Never changed in place: a node that is the same object is the same in storage. */
export interface WorkflowCore extends WorkflowHead {
  readonly plan: readonly PlanNode[];
  readonly nodes: readonly NodeState[];
}

export type WorkflowEvent =
  | {
      readonly type: 'task_finished';
      readonly ref: string;
      readonly taskId: TaskId;
      readonly state: 'SUCCESS' | 'FAILURE' | 'REVOKED';
      /** Of the result as JSON. */
      readonly bytes: number;
      /** How many there are in the result, if it is a list. */
      readonly items: number | null;
      /** True for `{file: path}`: what a range that came to more than a result may be gives instead of the list. */
      readonly isFile: boolean;
      readonly error: TaskError | null;
      readonly runtimeMs: number;
    }
  /** A task was not submitted: its arguments, now complete, do not fit. */
  | { readonly type: 'refused'; readonly ref: string; readonly code: ErrorCode; readonly message: string }
  /** A node’s result lies in this file. */
  | { readonly type: 'written'; readonly node: number; readonly path: string }
  /** A node’s result cannot be written, now or later. */
  | { readonly type: 'unwritable'; readonly node: number; readonly code: ErrorCode; readonly message: string }
  /** It cannot go on: a defect came to light. */
  | { readonly type: 'broken'; readonly code: ErrorCode; readonly message: string }
  /** Time has passed: arrays may have more under way. */
  | { readonly type: 'widen' }
  | { readonly type: 'revoke'; readonly terminate: boolean; readonly byTask: boolean };

/** A task to be submitted. Its arguments are put together by who has the results. */
export interface PlannedTask {
  readonly ref: string;
  readonly taskId: TaskId;
  readonly node: number;
  readonly call:
    | { readonly kind: 'step'; /** The node whose result comes first. */ readonly input: number | null }
    | { readonly kind: 'range'; readonly from: number; readonly to: number }
    | { readonly kind: 'errback'; readonly error: WorkflowError };
}

export type WorkflowCommand =
  | { readonly type: 'submit'; readonly task: PlannedTask }
  /** The result that has just come is kept under this number of the node. */
  | { readonly type: 'keep'; readonly node: number; readonly part: number }
  | { readonly type: 'revoke'; readonly taskIds: readonly TaskId[]; readonly terminate: boolean }
  | { readonly type: 'event'; readonly event: EventType; readonly data: Json }
  /** Ends the task that stands for the workflow; a success takes the root’s result along. */
  | { readonly type: 'finish'; readonly outcome: { readonly type: 'success' } | Exclude<Outcome, { type: 'success' }> };

export interface Transition {
  readonly state: WorkflowCore;
  readonly commands: readonly WorkflowCommand[];
}

/** What a transition is given beside the event. */
export interface Moment {
  readonly nowMs: number;
  /** Broker shards, over which new tasks are spread. */
  readonly shards: readonly number[];
  /** Whose tasks they are. */
  readonly owner: string;
}
