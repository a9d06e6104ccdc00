import {
  limits,
  type EventType,
  type Json,
  type Outcome,
  type TaskError,
  type TaskId,
  type TaskOptions,
  type WorkflowError,
  type WorkflowProgress,
} from '#protocol';
import { nextRangeItems, widened } from './arrays.ts';
import { openTasks } from './open.ts';
import { inputOf, isLast } from './plan.ts';
import { refText, taskIdOf, type Ref } from './refs.ts';
import type {
  ArrayState,
  Moment,
  NodeState,
  OpenRange,
  PlannedTask,
  PlanNode,
  Transition,
  WorkflowCommand,
  WorkflowCore,
} from './types.ts';

/**
 * Results up to this travel in arguments; larger ones become files. A positional argument counts twice against `limits.maxArgumentsBytes`, as it was
 * submitted and under its keyword, and the step has others too.
 */
export const maxInlineBytes = 500_000;
/** Of an error’s message. */
const maxMessageChars = 10_000;
/** What a file’s name takes in place of its content, roughly. */
const fileRefBytes = limits.maxPathChars;

/** A workflow while one event happens to it: what follows from it goes up the canvas as results and failures, and down it as beginnings. */
export class Draft {
  #state: WorkflowCore;
  readonly #nodes: NodeState[];
  readonly #before: readonly NodeState[];
  readonly #moment: Moment;
  readonly #commands: WorkflowCommand[] = [];
  #changed = false;

  constructor(state: WorkflowCore, moment: Moment) {
    this.#state = state;
    this.#before = state.nodes;
    this.#nodes = [...state.nodes];
    this.#moment = moment;
  }

  get isOpen(): boolean {
    return this.#state.state === 'STARTED';
  }

  get plan(): readonly PlanNode[] {
    return this.#state.plan;
  }

  get progress(): WorkflowProgress {
    return this.#state.progress;
  }

  end(): Transition {
    const nodes = this.#changed ? this.#nodes : this.#before;
    return { state: { ...this.#state, nodes }, commands: this.#commands };
  }

  node(id: number): NodeState {
    const node = this.#nodes[id];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  set(id: number, change: Partial<NodeState>): void {
    this.#nodes[id] = { ...this.node(id), ...change };
    this.#changed = true;
  }

  event(event: EventType, data: Json): void {
    this.#commands.push({ type: 'event', event, data });
  }

  begin(id: number): void {
    const { what, children, path } = this.#planned(id);
    this.set(id, { phase: 'running' });
    switch (what.kind) {
      case 'task':
        this.#count({ running: 1 });
        this.set(id, {
          taskId: this.#submit({ kind: 'step', node: id }, { kind: 'step', input: inputOf(this.plan, id) }),
        });
        break;
      case 'chain':
      case 'chord': {
        const [first] = children;
        if (first !== undefined) this.begin(first);
        break;
      }
      case 'group':
        // Only the header of a chord can be empty.
        if (children.length === 0) {
          const message = 'the header of the chord is empty: there is nothing that its body could be given';
          this.#fail(id, { type: 'invalid_input', message, task_id: null, path });
        }
        for (const child of children) this.begin(child);
        break;
      case 'array':
        if (what.array.count === 0) this.#succeed(id, 2);
        else this.submitRanges(id);
    }
  }

  /** Fills the window. After a failure nothing more of the array begins. */
  submitRanges(id: number): void {
    const { what } = this.#planned(id);
    if (what.kind !== 'array') return;
    for (;;) {
      const array = this.#array(id);
      const isFull = array.open.length >= array.window || array.cursor >= what.array.count;
      if (isFull || this.node(id).error !== undefined) return;
      const { cursor: from, ranges: index } = array;
      const to = from + nextRangeItems(what.array, array);
      this.#count({ running: to - from });
      const taskId = this.#submit({ kind: 'range', node: id, index }, { kind: 'range', from, to });
      const open = [...array.open, { index, from, to, taskId }];
      this.set(id, { array: { ...array, cursor: to, ranges: index + 1, open } });
    }
  }

  stepSucceeded(id: number, bytes: number): void {
    this.#commands.push({ type: 'keep', node: id, part: 0 });
    this.#count({ running: -1, succeeded: 1 });
    this.#succeed(id, bytes);
  }

  stepFailed(id: number, error: TaskError, taskId: TaskId | null): void {
    this.#count({ running: -1, failed: 1 });
    this.#fail(id, { ...error, task_id: taskId, path: this.#planned(id).path });
  }

  rangeSucceeded(id: number, range: OpenRange, bytes: number, runtimeMs: number): void {
    const array = this.#array(id);
    const items = range.to - range.from;
    this.#commands.push({ type: 'keep', node: id, part: range.index });
    this.#count({ running: -items, succeeded: items });
    const done = {
      items: array.done.items + items,
      runtimeMs: array.done.runtimeMs + runtimeMs,
      bytes: array.done.bytes + bytes,
    };
    this.#rangeOver(id, range, { ...widened(array, 'finish'), done });
  }

  rangeFailed(id: number, range: OpenRange, error: TaskError, taskId: TaskId | null): void {
    const items = range.to - range.from;
    this.#count({ running: -items, failed: items });
    const failure = { ...error, task_id: taskId, path: this.#planned(id).path };
    this.#noteError(failure);
    if (this.node(id).error === undefined) this.set(id, { error: failure });
    this.#rangeOver(id, range, this.#array(id));
  }

  written(id: number, path: string): void {
    this.set(id, { file: path });
    this.#succeed(id, fileRefBytes);
  }

  unwritable(id: number, error: TaskError): void {
    this.#fail(id, { ...error, task_id: null, path: this.#planned(id).path });
  }

  revoke(terminate: boolean, byTask: boolean): void {
    this.#stop(terminate);
    this.#finish('REVOKED');
    if (!byTask) this.#commands.push({ type: 'finish', outcome: { type: 'revoked' } });
  }

  break(error: WorkflowError): void {
    this.#stop(true);
    this.#noteError(error);
    this.#finish('FAILURE');
    this.#commands.push({ type: 'finish', outcome: failureOf(error) });
  }

  /** Lets nothing go on. */
  #stop(terminate: boolean): void {
    const taskIds = openTasks({ nodes: this.#nodes });
    if (taskIds.length > 0) this.#commands.push({ type: 'revoke', taskIds, terminate });
    this.#nodes.forEach(({ phase }, id) => {
      if (phase === 'running' || phase === 'writing') this.set(id, { phase: 'revoked' });
    });
    this.#count({ running: -this.progress.running });
  }

  #rangeOver(id: number, { index }: OpenRange, array: ArrayState): void {
    this.set(id, { array: { ...array, open: array.open.filter((range) => range.index !== index) } });
    this.submitRanges(id);
    const { open, done } = this.#array(id);
    const { error } = this.node(id);
    if (open.length > 0) return;
    // Each part stands in brackets, with a comma between.
    if (error === undefined) this.#succeed(id, done.bytes + 2);
    else this.#fail(id, error);
  }

  #succeed(id: number, bytes: number): void {
    if (bytes > maxInlineBytes) {
      this.set(id, { phase: 'writing' });
      return;
    }
    this.set(id, { phase: 'succeeded', bytes });
    const { parent } = this.#planned(id);
    if (parent === null) {
      this.#finish('SUCCESS');
      this.#commands.push({ type: 'finish', outcome: { type: 'success' } });
    } else if (this.#planned(parent).what.kind === 'group') {
      this.#settleGroup(parent);
    } else if (isLast(this.plan, id)) {
      this.#succeed(parent, bytes);
    } else {
      const next = this.#planned(parent).children[this.#planned(id).position + 1];
      if (next !== undefined) this.begin(next);
    }
  }

  #fail(id: number, error: WorkflowError): void {
    const { parent, linkError } = this.#planned(id);
    this.#noteError(error);
    this.set(id, { phase: 'failed', error });
    if (linkError !== null) {
      const taskId = this.#submit({ kind: 'errback', node: id }, { kind: 'errback', error });
      this.set(id, { errback: { taskId, state: 'running' } });
    }
    if (parent === null) {
      this.#finish('FAILURE');
      this.#commands.push({ type: 'finish', outcome: failureOf(error) });
    } else if (this.#planned(parent).what.kind === 'group') {
      this.#settleGroup(parent);
    } else {
      this.#fail(parent, error);
    }
  }

  /** A group is over when all of it is: what does not depend on a failure goes on. */
  #settleGroup(id: number): void {
    const children = this.#planned(id).children.map((child) => this.node(child));
    if (!children.every(({ phase }) => phase === 'succeeded' || phase === 'failed')) return;
    const failed = children.find(({ phase }) => phase === 'failed');
    if (failed?.error !== undefined) this.#fail(id, failed.error);
    else this.#succeed(id, 2 + children.reduce((sum, { bytes = 0 }) => sum + bytes + 1, 0));
  }

  #finish(state: 'SUCCESS' | 'FAILURE' | 'REVOKED'): void {
    this.#state = { ...this.#state, state, finishedMs: this.#moment.nowMs };
    this.event('workflow-finished', { state, ...this.progress });
  }

  #noteError(error: WorkflowError): void {
    if (this.#state.error === null) this.#state = { ...this.#state, error };
  }

  #submit(ref: Ref, call: PlannedTask['call']): TaskId {
    const text = refText(ref);
    // Tasks under a concurrency limit are counted in their owner’s home shard.
    const isCounted = optionsOf(this.#planned(ref.node), ref.kind)?.concurrency_key !== undefined;
    const home = isCounted ? this.#moment.owner : undefined;
    const taskId = taskIdOf(this.#state.workflowId, text, this.#moment, home);
    this.#commands.push({ type: 'submit', task: { ref: text, taskId, node: ref.node, call } });
    return taskId;
  }

  #count(change: Partial<WorkflowProgress>): void {
    const { total, succeeded, failed, running } = this.progress;
    this.#state = {
      ...this.#state,
      progress: {
        total,
        succeeded: succeeded + (change.succeeded ?? 0),
        failed: failed + (change.failed ?? 0),
        running: running + (change.running ?? 0),
      },
    };
  }

  #planned(id: number): PlanNode {
    const node = this.plan[id];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  #array(id: number): ArrayState {
    const { array } = this.node(id);
    if (array === undefined) throw new Error(`node ${id} is no array`);
    return array;
  }
}

function optionsOf({ what, linkError }: PlanNode, kind: Ref['kind']): Pick<TaskOptions, 'concurrency_key'> | null {
  if (kind === 'errback') return linkError;
  if (what.kind === 'task') return what.step;
  return what.kind === 'array' ? what.array.options : null;
}

function failureOf({ type, path, message }: WorkflowError): Outcome & { type: 'failure' } {
  const placed = path === '' ? message : `${path}: ${message}`;
  return { type: 'failure', error: { type, message: placed.slice(0, maxMessageChars) }, retryable: false };
}
