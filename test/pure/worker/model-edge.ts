import { leaseMs } from './fakes.ts';
import { assignment, heartbeatMs, taskId } from './fakes.ts';
import type { Assignment, AttemptRef, EdgeFrame, Outcome, TaskId } from '#protocol';
import type { FakeConnection, FakeTransport } from './fakes.ts';
import { attemptKey } from '../../../client/worker/index.ts';

interface ModelTask {
  attempt: number;
  /** Waiting for a worker, leased to the one under test, or over. */
  state: 'waiting' | 'leased' | 'adopted' | 'over';
}

type AckItem = Extract<EdgeFrame, { type: 'ack' }>['items'][number];

/** The least edge that keeps the contract: leases, fencing, credits, acknowledgements that a test may lose, repeat and reorder. */
export class ModelEdge {
  readonly tasks = new Map<TaskId, ModelTask>();
  readonly recorded = new Map<TaskId, { ref: AttemptRef; outcome: Outcome }>();
  readonly faults: string[] = [];
  credits = 0;
  pendingAcks: AckItem[] = [];
  readonly #transport: FakeTransport;
  readonly #capacity: number;
  readonly #readUpTo = new Map<FakeConnection, number>();

  constructor(transport: FakeTransport, taskCount: number, capacity: number) {
    this.#transport = transport;
    this.#capacity = capacity;
    for (let n = 0; n < taskCount; n++) this.tasks.set(taskId(n), { attempt: 0, state: 'waiting' });
  }

  get #connection(): FakeConnection {
    return this.#transport.last;
  }

  /** Reads what has arrived over the present connection. */
  read(): void {
    const connection = this.#connection;
    const from = this.#readUpTo.get(connection) ?? 0;
    const frames = connection.frames.slice(from);
    this.#readUpTo.set(connection, from + frames.length);
    for (const frame of frames) {
      switch (frame.type) {
        case 'hello':
          this.#greet(frame.holding, frame.credits);
          break;
        case 'credits':
          this.#addCredits(frame.add);
          break;
        case 'outcomes':
          this.#addCredits(frame.credits);
          for (const item of frame.items) this.#record(item, item.outcome);
          break;
        case 'adopt':
          for (const ref of frame.items) this.#adopt(ref);
          break;
        case 'goodbye':
          for (const task of this.tasks.values()) if (task.state === 'leased') task.state = 'waiting';
          break;
        default:
          break;
      }
    }
  }

  assign(count: number): void {
    if (!this.#connection.isOpen) return;
    const items: Assignment[] = [];
    for (const [id, task] of this.tasks) {
      if (items.length >= count || this.credits === 0) break;
      if (task.state !== 'waiting') continue;
      task.state = 'leased';
      task.attempt++;
      this.credits--;
      items.push(assignment(0, { task_id: id, attempt: task.attempt }));
    }
    if (items.length > 0) this.#connection.say({ type: 'tasks', items });
  }

  /** A lease runs out unseen, and somebody else gets the task and keeps it. */
  takeAway(which: number): void {
    const [, task] = this.#leased(which) ?? [];
    if (task) Object.assign(task, { state: 'waiting', attempt: task.attempt + 1 });
  }

  revoke(which: number, terminate: boolean): void {
    const [id, task] = this.#leased(which) ?? [];
    if (!id || !task) return;
    this.#connection.say({ type: 'revoke', items: [{ task_id: id, attempt: task.attempt, terminate }] });
  }

  /** Sends acknowledgements in any order; what is not picked waits, and may be lost with the connection. */
  acknowledge(pick: (items: AckItem[]) => AckItem[]): void {
    const items = pick(this.pendingAcks);
    if (items.length > 0) this.#connection.say({ type: 'ack', items });
  }

  /** What was on its way, in either direction, is lost. */
  dropConnection(): void {
    if (!this.#connection.isOpen) return;
    this.#readUpTo.set(this.#connection, this.#connection.frames.length);
    this.pendingAcks = [];
    this.credits = 0;
    this.#connection.drop();
  }

  #leased(which: number): [TaskId, ModelTask] | undefined {
    const leased = [...this.tasks].filter(([, { state }]) => state === 'leased');
    return leased[which % Math.max(1, leased.length)];
  }

  #greet(holding: readonly AttemptRef[], credits: number): void {
    this.credits = credits;
    const held = new Set(holding.map(attemptKey));
    const lost = holding.filter(({ task_id, attempt }) => {
      const task = this.tasks.get(task_id);
      return task?.attempt !== attempt || (task.state !== 'leased' && task.state !== 'adopted');
    });
    for (const [task_id, task] of this.tasks) {
      if (task.state === 'leased' && !held.has(attemptKey({ task_id, attempt: task.attempt }))) task.state = 'waiting';
    }
    this.#connection.say({ type: 'welcome', protocol: 1, lease_ms: leaseMs, heartbeat_ms: heartbeatMs, lost });
  }

  #addCredits(add: number): void {
    this.credits += add;
    if (this.credits > this.#capacity) this.faults.push(`${this.credits} credits are more than ${this.#capacity}`);
  }

  #record(ref: AttemptRef, outcome: Outcome): void {
    const task = this.tasks.get(ref.task_id);
    const before = this.recorded.get(ref.task_id);
    const isRepeat = before?.ref.attempt === ref.attempt;
    if (isRepeat && JSON.stringify(before.outcome) !== JSON.stringify(outcome)) {
      this.faults.push(`${ref.task_id} ended twice, differently`);
    }
    const isCurrent = task?.attempt === ref.attempt && (task.state === 'leased' || task.state === 'adopted');
    if (isCurrent) {
      task.state = outcome.type === 'released' ? 'waiting' : 'over';
      if (outcome.type !== 'released') this.recorded.set(ref.task_id, { ref, outcome });
    }
    const status = isCurrent || isRepeat ? 'recorded' : 'lease_lost';
    this.pendingAcks.push({ task_id: ref.task_id, attempt: ref.attempt, status });
  }

  #adopt({ task_id, attempt }: AttemptRef): void {
    const task = this.tasks.get(task_id);
    if (task?.state === 'leased' && task.attempt === attempt) task.state = 'adopted';
  }
}
