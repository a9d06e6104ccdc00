/**
 * Celery's task states. Who moves a task on is told at each one; the table of moves is in `edge/broker/transitions.ts`, its picture in
 * `docs/task-lifecycle.md`.
 */
export const taskStates = [
  /** Accepted and waiting, perhaps for its ETA. A worker's claim moves it on. */
  'PENDING',
  /** Leased and sent to a worker that has not begun yet. The worker's `started` moves it on. */
  'RECEIVED',
  /** A worker is computing it. Its outcome, a lost lease or a time limit moves it on. */
  'STARTED',
  /** An attempt failed and another one waits for its back-off. A worker's claim moves it on. */
  'RETRY',
  /** Final: it has a result. */
  'SUCCESS',
  /** Final: retries are used up, or the failure is one that no retry can mend. */
  'FAILURE',
  /** Final: revoked by its owner, or expired before it began. */
  'REVOKED',
] as const;

export type TaskState = (typeof taskStates)[number];

export const finalStates = ['SUCCESS', 'FAILURE', 'REVOKED'] as const satisfies readonly TaskState[];
export type FinalState = (typeof finalStates)[number];

/** All that are not final. */
export const openStates = ['PENDING', 'RECEIVED', 'STARTED', 'RETRY'] as const satisfies readonly TaskState[];

/** True for a state that never changes again. */
export function isFinal(state: TaskState): state is FinalState {
  return (finalStates as readonly TaskState[]).includes(state);
}
