import type { TaskId, WorkerId } from '#protocol';
import type { Core } from './core.ts';
import type { StoredEvent } from './events.ts';
import { leaseOf, storedLeases, type Lease } from './leases.ts';

/**
 * How leases survive. A grant to a worker on a socket is told by its `task-received` event, which its commit writes anyway; the row of the
 * worker follows when something else of its leases must be kept, or at the next checkpoint. So what is leased is what the rows say and what
 * the events after the last checkpoint say, as far as the attempt has not ended, which the task’s row tells.
 */

/** Events that are read again, at most, when memory is rebuilt. */
const maxReplayed = 2_000;
/** Rows of the log that are read at once. */
const replayRows = 20;

/** Writes the rows of workers whose leases have changed. Call it last in a commit, before its events are written. */
export function writeLeases(core: Core): void {
  const { leases, events } = core;
  if (events.seq - leases.checkpointSeq >= maxReplayed) checkpoint(core);
  for (const worker of leases.dirty) {
    const held = leases.serialise(worker);
    core.database.run('INSERT OR REPLACE INTO leases (worker_id, held) VALUES (?, ?)', worker, held);
    leases.logged.delete(worker);
  }
  leases.dirty.clear();
}

/** Brings every worker’s row up to date, so that no event before this is needed any more. */
export function checkpoint(core: Core): void {
  const { leases, events } = core;
  if (leases.checkpointSeq === events.seq) return;
  for (const worker of leases.logged) leases.dirty.add(worker);
  leases.checkpointSeq = events.seq;
  core.database.run(`INSERT OR REPLACE INTO meta (name, value) VALUES ('leases_seq', ?)`, String(events.seq));
}

/** Reads everything anew. */
export function restoreLeases(core: Core): void {
  const seq = Number(
    core.database.maybe<{ value: string }>(`SELECT value FROM meta WHERE name = 'leases_seq'`)?.value ?? 0,
  );
  const stored = core.database
    .all<{ worker_id: string; held: string }>('SELECT worker_id, held FROM leases')
    .flatMap(({ worker_id: id, held }) => {
      const worker = core.workers.get(id as WorkerId);
      return worker === undefined ? [] : storedLeases(held).map((each) => leaseOf(worker.workerId, worker.sub, each));
    });
  const granted = grantsAfter(core, seq);
  const tasks = openTasks(core, [...stored.map(({ taskId }) => taskId), ...granted.map((event) => event.taskId)]);
  const isOpen = ({ taskId, attempt }: Pick<Lease, 'taskId' | 'attempt'>): boolean =>
    tasks.get(taskId)?.attempt === attempt - 1;
  core.leases.restore(stored.filter(isOpen), seq);
  for (const grant of granted) {
    const task = tasks.get(grant.taskId);
    const worker = core.workers.get(grant.workerId);
    if (task === undefined || worker === undefined || !isOpen(grant)) continue;
    if (core.leases.get(grant.taskId) !== undefined) continue;
    core.leases.grant({
      ...grant,
      lane: task.lane,
      sub: worker.sub,
      limitMs: grant.limitMs ?? core.specs.load(task.spec).time_limit_ms,
      startedMs: null,
      expiresMs: grant.givenMs + core.config.leaseMs,
      isExact: false,
      group: null,
      progress: null,
      graces: 0,
      mayHaveSnapshot: true,
    });
  }
}

type Grant = Pick<Lease, 'taskId' | 'attempt' | 'workerId' | 'givenMs'> & {
  /** Null for the one that it was submitted with. */
  limitMs: number | null;
};

/** What the log tells of grants after an event. */
function grantsAfter(core: Core, seq: number): Grant[] {
  const grants: Grant[] = [];
  for (let after = seq; after < core.events.seq;) {
    const events = core.events.after(after, replayRows);
    grants.push(...events.flatMap((event) => grantOf(event) ?? []));
    after = events.at(-1)?.seq ?? core.events.seq;
  }
  return grants;
}

function grantOf({ type, task_id: taskId, worker, time, data }: StoredEvent): Grant | undefined {
  if (type !== 'task-received' || taskId === undefined || worker === undefined) return undefined;
  const { attempt, time_limit: limit } = data as { attempt: number; time_limit?: number };
  const limitMs = limit === undefined ? null : limit * 1000;
  return { taskId, attempt, workerId: worker, givenMs: Date.parse(time), limitMs };
}

interface OpenTask {
  attempt: number;
  lane: number;
  spec: string;
}

function openTasks(core: Core, ids: readonly TaskId[]): Map<TaskId, OpenTask> {
  const rows = core.database.all<{ id: string; attempt: number; lane: number; spec: string }>(
    'SELECT id, attempt, lane, spec FROM tasks WHERE id IN (SELECT value FROM json_each(?)) AND finished_ms IS NULL',
    JSON.stringify(ids),
  );
  return new Map(rows.map(({ id, ...task }) => [id as TaskId, task]));
}
