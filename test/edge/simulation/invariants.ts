import { isFinal, parseRate, type TaskId, type TaskState } from '#protocol';
import type { Core } from '../../../edge/broker/core.ts';
import { lengthOf } from '../../../edge/broker/flow/room.ts';
import { taskOf } from '../../../edge/broker/lanes.ts';

/** The task type that may have a rate. */
export const limitedTask = 'evaluate_candidates';

/** A task as its row has it. */
export interface Row extends Record<string, SqlStorageValue> {
  id: string;
  lane: number;
  state: string;
  attempt: number;
  outcome: string | null;
}

export class Violation extends Error {
  override readonly name = 'Violation';
}

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Violation(what);
}

/** What must hold after every step, whatever happens. It remembers what it has seen. */
export class Invariants {
  readonly #finals = new Map<string, string>();
  readonly #holders = new Map<string, string>();
  readonly #begun = new Set<string>();
  readonly #beganMs: number[] = [];
  #seq = 0;

  check(core: Core, rows: readonly Row[]): void {
    this.#finalStatesStay(rows);
    this.#oneHolderForEachAttempt(core);
    this.#leasesAreOfOpenTasks(core, rows);
    this.#concurrencyIsKept(core);
    this.#rateIsKept(core);
    this.#countsAreRight(core, rows);
    this.#eventsGoOn(core);
  }

  #finalStatesStay(rows: readonly Row[]): void {
    const present = new Map(rows.map((row) => [row.id, `${row.state} ${row.outcome}`]));
    for (const [id, final] of this.#finals) {
      must(present.get(id) === final, `${id} was ${final} and is ${present.get(id)}`);
    }
    for (const row of rows) {
      if (isFinal(row.state as TaskState)) this.#finals.set(row.id, `${row.state} ${row.outcome}`);
    }
  }

  #oneHolderForEachAttempt(core: Core): void {
    for (const { taskId, attempt, workerId } of core.leases.all()) {
      const key = `${taskId}/${attempt}`;
      const holder = this.#holders.get(key) ?? workerId;
      must(holder === workerId, `attempt ${key} was given to ${holder} and to ${workerId}`);
      this.#holders.set(key, holder);
    }
  }

  #leasesAreOfOpenTasks(core: Core, rows: readonly Row[]): void {
    const byId = new Map(rows.map((row) => [row.id, row]));
    for (const { taskId, attempt } of core.leases.all()) {
      const row = byId.get(taskId);
      must(row !== undefined, `${taskId} is leased and not stored`);
      must(!isFinal(row.state as TaskState), `${taskId} is leased and ${row.state}`);
      must(row.attempt === attempt - 1, `${taskId} is leased for attempt ${attempt} after ${row.attempt}`);
    }
  }

  #concurrencyIsKept(core: Core): void {
    for (const lane of core.lanes.all()) {
      if (lane.concurrency === null) continue;
      const running = core.lanes.sharing(lane).reduce((sum, { id }) => sum + core.leases.countOfLane(id), 0);
      // A larger limit under the same key may have let more begin.
      const most = Math.max(...core.lanes.sharing(lane).map(({ concurrency }) => concurrency?.limit ?? 0));
      must(running <= most, `${running} tasks with the key ${lane.concurrency.key} run, of ${most}`);
    }
  }

  /** In no window do more tasks begin than the rate of their type allows. */
  #rateIsKept(core: Core): void {
    const { rate_limit: text } = core.flow.taskType(limitedTask);
    if (text === null) return;
    const { count, windowMs } = parseRate(text);
    for (const { taskId, attempt, lane, givenMs } of core.leases.all()) {
      const key = `${taskId}/${attempt}`;
      if (taskOf(core.lanes.get(lane).kind) !== limitedTask || this.#begun.has(key)) continue;
      this.#begun.add(key);
      this.#beganMs.push(givenMs);
    }
    this.#beganMs.sort((a, b) => a - b);
    for (let first = 0; first + count < this.#beganMs.length; first++) {
      const spanMs = this.#beganMs[first + count]! - this.#beganMs[first]!;
      must(spanMs >= windowMs, `${count + 1} tasks began within ${spanMs} ms under the rate ${text}`);
    }
  }

  /** What is counted as it changes is what is there. */
  #countsAreRight(core: Core, rows: readonly Row[]): void {
    const open = new Map<number, number>();
    for (const { lane, state } of rows) {
      if (!isFinal(state as TaskState)) open.set(lane, (open.get(lane) ?? 0) + 1);
    }
    for (const { id } of core.lanes.all()) {
      const { waiting, scheduled, running } = core.counts.of(id);
      const counted = waiting + scheduled + running;
      must(counted === (open.get(id) ?? 0), `lane ${id} counts ${counted} tasks and has ${open.get(id) ?? 0}`);
      must(waiting >= 0 && scheduled >= 0, `lane ${id} counts ${waiting} waiting and ${scheduled} scheduled`);
    }
  }

  #eventsGoOn(core: Core): void {
    must(core.events.seq >= this.#seq, `events went back from ${this.#seq} to ${core.events.seq}`);
    this.#seq = core.events.seq;
  }
}

/** What must hold once everything has come to rest. */
export function checkRest(core: Core, rows: readonly Row[], submitted: readonly TaskId[]): void {
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const id of submitted) {
    const row = byId.get(id);
    must(row !== undefined, `${id} was accepted and is gone`);
    must(isFinal(row.state as TaskState), `${id} waits for ever: ${row.state}`);
  }
  must(core.leases.size === 0, `${core.leases.size} leases are left`);
  for (const queue of ['default', 'other'])
    must(lengthOf(core, queue) === 0, `${queue} counts ${lengthOf(core, queue)} tasks`);
  checkEvents(core, rows);
}

/** The log tells each task’s beginning and end once, without a hole. */
function checkEvents(core: Core, rows: readonly Row[]): void {
  const ends = new Map<string, string[]>();
  let seq = 0;
  while (seq < core.events.seq) {
    const events = core.events.after(seq, 100);
    must(events.length > 0, `events end at ${seq}, before ${core.events.seq}`);
    for (const event of events) {
      must(event.seq === seq + 1, `event ${event.seq} follows ${seq}`);
      seq = event.seq;
      if (event.task_id !== undefined) ends.set(event.task_id, [...(ends.get(event.task_id) ?? []), event.type]);
    }
  }
  const finals: Record<string, string> = { SUCCESS: 'task-succeeded', FAILURE: 'task-failed', REVOKED: 'task-revoked' };
  for (const { id, state } of rows) {
    const told = ends.get(id) ?? [];
    const end = told.filter((type) => Object.values(finals).includes(type));
    must(told.filter((type) => type === 'task-sent').length === 1, `${id} was sent ${told.join(' ')}`);
    must(end.length === 1 && end[0] === finals[state], `${id} is ${state}, and its events are ${told.join(' ')}`);
  }
}

export { must };
