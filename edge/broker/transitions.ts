import type { TaskState } from '#protocol';

/** What can happen to a task. */
export const taskEvents = [
  /** A worker is given an attempt of it. */
  'claim',
  /** The worker begins to compute. */
  'start',
  /** A worker comes back with an attempt whose lease ran out while nobody else was given the task. */
  'resume',
  /** The attempt ended with a result. Also late, as long as nobody else was given the task. */
  'succeed',
  /** The attempt failed and another one is allowed. */
  'fail',
  /** The attempt failed and it was the last one. */
  'fail_finally',
  /** The worker gave it back unharmed. */
  'release',
  /** The lease ran out, and it may be given out again. */
  'lose',
  /** The lease ran out once too often. */
  'lose_finally',
  /** It was not begun before `expires`. */
  'expire',
  /** Somebody doesn’t want it any more; a computation under way may end. */
  'revoke',
  /** Somebody doesn’t want it any more, and a computation under way is stopped. */
  'terminate',
] as const;

export type TaskEvent = (typeof taskEvents)[number];

const leased = {
  succeed: 'SUCCESS',
  fail: 'RETRY',
  fail_finally: 'FAILURE',
  release: 'PENDING',
  lose: 'RETRY',
  lose_finally: 'FAILURE',
  terminate: 'REVOKED',
} as const satisfies Partial<Record<TaskEvent, TaskState>>;

const queued = {
  claim: 'RECEIVED',
  resume: 'STARTED',
  // Reports of an attempt whose lease ran out.
  succeed: 'SUCCESS',
  fail: 'RETRY',
  fail_finally: 'FAILURE',
  revoke: 'REVOKED',
  terminate: 'REVOKED',
} as const satisfies Partial<Record<TaskEvent, TaskState>>;

/** Where each event leads from each state. What is absent is refused. `docs/task-lifecycle.md` shows the same as a picture. */
export const transitions: Readonly<Record<TaskState, Readonly<Partial<Record<TaskEvent, TaskState>>>>> = {
  PENDING: { ...queued, expire: 'REVOKED' },
  RETRY: queued,
  RECEIVED: { ...leased, start: 'STARTED', revoke: 'REVOKED' },
  STARTED: { ...leased, start: 'STARTED', revoke: 'STARTED' },
  SUCCESS: {},
  FAILURE: {},
  REVOKED: {},
};

/** Why an event is not taken. */
export type Refusal = { refused: 'final' | 'not_now'; state: TaskState; event: TaskEvent };

export function transition(state: TaskState, event: TaskEvent): TaskState | Refusal {
  const moves = transitions[state];
  return moves[event] ?? { refused: Object.keys(moves).length === 0 ? 'final' : 'not_now', state, event };
}

/** The state after an event that the caller knows to be allowed. @throws Error when it is not: a defect. */
export function mustMove(state: TaskState, event: TaskEvent): TaskState {
  const next = transition(state, event);
  if (typeof next === 'string') return next;
  throw new Error(`a task in state ${state} cannot ${event}`);
}
