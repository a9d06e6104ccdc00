import type { Database } from '../../lib/sql.ts';
import type { LeaseTable } from '../leases.ts';
import type { TaskRecord } from '../task-record.ts';

/** What of a lane’s tasks is counted. */
export interface LaneCount {
  /** Not final: waiting, scheduled or running. */
  open: number;
  /** Of those, waiting for their ETA or back-off. */
  scheduled: number;
}

/** How one task counts. A held one never waits. */
export function countsOf({ finishedMs, dueMs, spec }: Pick<TaskRecord, 'finishedMs' | 'dueMs' | 'spec'>): LaneCount {
  if (finishedMs !== null || spec.held === true) return nothing;
  return dueMs === null ? waiting : scheduled;
}

const nothing: LaneCount = { open: 0, scheduled: 0 };
const waiting: LaneCount = { open: 1, scheduled: 0 };
const scheduled: LaneCount = { open: 1, scheduled: 1 };

/** How many tasks each lane has, kept up to date once somebody has asked; then it costs nothing to ask again. */
export class LaneCounts {
  readonly #database: Database;
  readonly #leases: LeaseTable;
  #byLane: Map<number, LaneCount> | null = null;

  constructor(database: Database, leases: LeaseTable) {
    this.#database = database;
    this.#leases = leases;
  }

  /** Forgets: after a commit that was rolled back. */
  reset(): void {
    this.#byLane = null;
  }

  /** A row was written. */
  changed(lane: number, before: LaneCount | null, after: LaneCount): void {
    if (this.#byLane === null || before === after) return;
    const count = this.#of(lane);
    count.open += after.open - (before?.open ?? 0);
    count.scheduled += after.scheduled - (before?.scheduled ?? 0);
  }

  /** Of what is written. */
  of(lane: number): { waiting: number; scheduled: number; running: number } {
    this.#byLane ??= this.#read();
    const { open, scheduled } = this.#of(lane);
    const running = this.#leases.countOfLane(lane);
    return { waiting: open - scheduled - running, scheduled, running };
  }

  #of(lane: number): LaneCount {
    let count = this.#byLane?.get(lane);
    if (count === undefined) this.#byLane?.set(lane, (count = { open: 0, scheduled: 0 }));
    return count ?? { open: 0, scheduled: 0 };
  }

  /** An open task is in the stored queue, scheduled, or out on lease without ever having been in the queue. */
  #read(): Map<number, LaneCount> {
    const counts = new Map<number, LaneCount>();
    const leased = this.#leases.taskIds();
    type Row = { lane: number; open: number; scheduled: number };
    const rows = this.#database.all<Row>(
      `SELECT lane, sum(open) AS open, sum(scheduled) AS scheduled FROM (
         SELECT lane, count(*) AS open, 0 AS scheduled FROM tasks INDEXED BY tasks_ready WHERE queued = 1 GROUP BY lane
         UNION ALL
         SELECT lane, count(*), count(*) FROM tasks INDEXED BY tasks_due WHERE due_ms IS NOT NULL GROUP BY lane
         UNION ALL
         SELECT lane, count(*), 0 FROM tasks
         WHERE id IN (SELECT value FROM json_each(?)) AND queued = 0 AND due_ms IS NULL AND finished_ms IS NULL GROUP BY lane)
       GROUP BY lane`,
      leased,
    );
    for (const { lane, open, scheduled } of rows) counts.set(lane, { open, scheduled });
    return counts;
  }
}
