import type { ErrorCode, Outcome, Progress, TaskId } from '#protocol';

/** How things stand between this tab and the edge. */
export type Link =
  | { type: 'off' }
  | { type: 'connecting' }
  | { type: 'online' }
  /** The connection was lost and is tried again and again; what is being computed goes on. */
  | { type: 'retrying' }
  /** The edge asked this worker to leave, and it did. */
  | { type: 'dismissed' }
  /** The edge said no, for good: trying again would not help. */
  | { type: 'refused'; code: ErrorCode; message: string };

/** A task that a core computes just now. Times in ms since 1970. */
export interface RunningTask {
  taskId: TaskId;
  attempt: number;
  /** The task type’s name. */
  task: string;
  startedAtMs: number;
  progress: Progress | null;
}

/** A task that this tab is through with. */
export interface FinishedTask {
  taskId: TaskId;
  /** Which core had it, from 0. */
  core: number;
  task: string;
  startedAtMs: number;
  endedAtMs: number;
  outcome: Outcome['type'];
}

/** What the coordinator tells the page, as a whole, whenever something has changed. */
export interface WorkStatus {
  /** Which `begin` this is about. */
  turn: number;
  link: Link;
  /** The tab’s row in the worker table; null before the first connection. */
  workerName: string | null;
  /** One entry for each core that computes or could; null where it has nothing to do. */
  cores: (RunningTask | null)[];
  /** Newest last; only the last minutes. */
  recent: FinishedTask[];
  totals: {
    succeeded: number;
    failed: number;
    /** Handed back unfinished, to be continued elsewhere. */
    returned: number;
    /** Time that cores spent on tasks that ended, in ms. */
    computedMs: number;
  };
}

export const restingStatus: WorkStatus = {
  turn: 0,
  link: { type: 'off' },
  workerName: null,
  cores: [],
  recent: [],
  totals: { succeeded: 0, failed: 0, returned: 0, computedMs: 0 },
};
