import type { TaskError, WorkflowError } from '#protocol';
import { beginning, mayWiden, widened } from './arrays.ts';
import { Draft, maxInlineBytes } from './draft.ts';
import { parseRef } from './refs.ts';
import type { Moment, NodeState, PlanNode, Transition, WorkflowCore, WorkflowEvent, WorkflowHead } from './types.ts';

/** A workflow at its very beginning. */
export function begin(
  head: Pick<WorkflowHead, 'workflowId' | 'labels'>,
  plan: readonly PlanNode[],
  moment: Moment,
): Transition {
  const draft = new Draft(
    {
      ...head,
      state: 'STARTED',
      progress: { total: totalOf(plan), succeeded: 0, failed: 0, running: 0 },
      error: null,
      createdMs: moment.nowMs,
      finishedMs: null,
      plan,
      nodes: plan.map(initialState),
    },
    moment,
  );
  draft.event('workflow-started', { total: draft.progress.total });
  draft.begin(0);
  return draft.end();
}

/** A workflow that is over before it begins: what it was to work on is not there. */
export function refuse(
  head: Pick<WorkflowHead, 'workflowId' | 'labels'>,
  error: WorkflowError,
  moment: Moment,
): Transition {
  const { nowMs } = moment;
  const progress = { total: 0, succeeded: 0, failed: 0, running: 0 };
  const { type, message } = error;
  return {
    state: { ...head, state: 'FAILURE', progress, error, createdMs: nowMs, finishedMs: nowMs, plan: [], nodes: [] },
    commands: [
      { type: 'event', event: 'workflow-finished', data: { state: 'FAILURE', ...progress } },
      { type: 'finish', outcome: { type: 'failure', error: { type, message }, retryable: false } },
    ],
  };
}

/** Of a node that has not begun. */
export function initialState({ what }: PlanNode): NodeState {
  return what.kind === 'array' ? { phase: 'waiting', array: beginning } : { phase: 'waiting' };
}

function totalOf(plan: readonly PlanNode[]): number {
  return plan.reduce((sum, { what }) => {
    if (what.kind === 'array') return sum + what.array.count;
    return what.kind === 'task' ? sum + 1 : sum;
  }, 0);
}

/**
 * What an event makes of a workflow, and what is to be done because of it. A function of its arguments alone. Events that come twice, late, or in any
 * order lead to the same state, and to each step once.
 */
export function step(state: WorkflowCore, event: WorkflowEvent, moment: Moment): Transition {
  const draft = new Draft(state, moment);
  switch (event.type) {
    case 'task_finished':
      taskFinished(draft, event);
      break;
    case 'refused':
      refused(draft, event);
      break;
    case 'written':
      if (draft.isOpen && draft.node(event.node).phase === 'writing') draft.written(event.node, event.path);
      break;
    case 'unwritable':
      if (draft.isOpen && draft.node(event.node).phase === 'writing') {
        draft.unwritable(event.node, { type: event.code, message: event.message });
      }
      break;
    case 'broken':
      if (draft.isOpen) draft.break({ type: event.code, message: event.message, task_id: null, path: '' });
      break;
    case 'widen':
      if (draft.isOpen) widen(draft);
      break;
    case 'revoke':
      if (draft.isOpen) draft.revoke(event.terminate, event.byTask);
  }
  return draft.end();
}

type Finished = Extract<WorkflowEvent, { type: 'task_finished' }>;

function taskFinished(draft: Draft, event: Finished): void {
  const ref = parseRef(event.ref);
  if (ref === null || ref.node >= draft.plan.length) return;
  const node = draft.node(ref.node);
  if (ref.kind === 'errback') {
    if (node.errback?.taskId === event.taskId && node.errback.state === 'running') {
      const state = event.state === 'SUCCESS' ? 'succeeded' : 'failed';
      draft.set(ref.node, { errback: { ...node.errback, state } });
    }
    return;
  }
  if (!draft.isOpen || node.phase !== 'running') return;
  if (ref.kind === 'step') {
    if (node.taskId !== event.taskId) return;
    if (event.state === 'SUCCESS') draft.stepSucceeded(ref.node, event.bytes);
    else draft.stepFailed(ref.node, errorOf(event), event.taskId);
    return;
  }
  const range = node.array?.open.find(({ index, taskId }) => index === ref.index && taskId === event.taskId);
  if (range === undefined) return;
  const expected = range.to - range.from;
  if (event.state !== 'SUCCESS') {
    draft.rangeFailed(ref.node, range, errorOf(event), event.taskId);
  } else if (event.items !== expected && !event.isFile) {
    const message = `expected a list of ${expected} results from the worker`;
    draft.rangeFailed(ref.node, range, { type: 'task_failed', message }, event.taskId);
  } else {
    const bytes = event.isFile ? maxInlineBytes + 1 : event.bytes;
    draft.rangeSucceeded(ref.node, range, bytes, event.runtimeMs);
  }
}

function errorOf({ state, error }: Finished): TaskError {
  const { type, message } = error ?? { type: 'task_failed', message: `The task is ${state}.` };
  return { type, message };
}

function refused(draft: Draft, event: Extract<WorkflowEvent, { type: 'refused' }>): void {
  const ref = parseRef(event.ref);
  if (ref === null || ref.node >= draft.plan.length) return;
  const node = draft.node(ref.node);
  const error: TaskError = { type: event.code, message: event.message };
  if (ref.kind === 'errback') {
    if (node.errback !== undefined) draft.set(ref.node, { errback: { ...node.errback, state: 'failed' } });
    return;
  }
  if (!draft.isOpen || node.phase !== 'running') return;
  if (ref.kind === 'step') {
    draft.stepFailed(ref.node, error, null);
    return;
  }
  const range = node.array?.open.find(({ index }) => index === ref.index);
  if (range !== undefined) draft.rangeFailed(ref.node, range, error, null);
}

function widen(draft: Draft): void {
  draft.plan.forEach(({ what }, id) => {
    const { phase, array } = draft.node(id);
    if (what.kind !== 'array' || phase !== 'running' || array === undefined || !mayWiden(what.array, array)) return;
    draft.set(id, { array: widened(array, 'time') });
    draft.submitRanges(id);
  });
}
