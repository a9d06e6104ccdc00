import type { EdgeFrame, TaskId, WorkerFrame } from '#protocol';
import { assignment, heartbeatMs, leaseMs, taskId } from './fakes.ts';
import type { FakeConnection, FakeTransport } from './fakes.ts';

/** One shard of an edge: gives tasks as far as it has credits, and says when tasks wait. What it and the worker say travels when the test wants. */
export class ModelShard {
  waiting = 0;
  credits = 0;
  done = 0;
  readonly leased = new Set<TaskId>();
  /** How many shards it says that there are. */
  shards: number;
  readonly #transport: FakeTransport;
  readonly #shard: number;
  readonly #readUpTo = new Map<FakeConnection, number>();
  #out: EdgeFrame[] = [];
  #watches = false;
  #isTold = false;
  #made = 0;
  #pongs = 0;

  constructor(transport: FakeTransport, shard: number, shards: number) {
    this.#transport = transport;
    this.#shard = shard;
    this.shards = shards;
  }

  get connection(): FakeConnection | undefined {
    return this.#transport.connections.findLast(({ shard }) => shard === this.#shard);
  }

  /** Lets a connection that was asked for open. @returns whether there was one. */
  open(): boolean {
    const { connection } = this;
    if (!connection || connection.isOpen || connection.closedBecause !== null || this.#readUpTo.has(connection)) {
      return false;
    }
    this.#readUpTo.set(connection, 0);
    this.#out = [];
    this.#pongs = 0;
    connection.open();
    return true;
  }

  submit(count: number): void {
    this.waiting += count;
    this.#dispatch();
  }

  /** Reads up to so many frames of the worker’s. @returns how many. */
  read(count: number): number {
    const frames = this.#unread().slice(0, count);
    const { connection } = this;
    if (!connection) return 0;
    this.#readUpTo.set(connection, (this.#readUpTo.get(connection) ?? 0) + frames.length);
    for (const frame of frames) this.#hear(frame);
    return frames.length;
  }

  /** Lets up to so many frames arrive at the worker. @returns how many. */
  deliver(count: number): number {
    const frames = this.#out.splice(0, count);
    for (const frame of frames) this.connection?.say(frame);
    const { connection } = this;
    if (connection?.isOpen) for (; this.#pongs < connection.pings; this.#pongs++) connection.sayText('pong');
    return frames.length;
  }

  drop(): void {
    if (!this.connection?.isOpen) return;
    this.#out = [];
    this.credits = 0;
    this.connection.drop();
  }

  /** Credits and tasks that this shard or the way to and from it has: what the worker must have room for. */
  get outstanding(): number {
    if (!this.connection?.isOpen) return 0;
    const tasks = this.#out.reduce((sum, frame) => sum + (frame.type === 'tasks' ? frame.items.length : 0), 0);
    return this.credits + tasks + this.#unread().reduce((sum, frame) => sum + creditsOf(frame), 0);
  }

  #unread(): WorkerFrame[] {
    const { connection } = this;
    return connection?.isOpen ? connection.frames.slice(this.#readUpTo.get(connection)) : [];
  }

  #hear(frame: WorkerFrame): void {
    switch (frame.type) {
      case 'hello': {
        this.credits = frame.credits;
        this.#watches = false;
        this.#isTold = false;
        const held = new Set(frame.holding.map((ref) => ref.task_id));
        for (const id of this.leased) {
          if (held.has(id)) continue;
          this.leased.delete(id);
          this.waiting++;
        }
        const { shards } = this;
        this.#out.push({
          type: 'welcome',
          protocol: 1,
          lease_ms: leaseMs,
          heartbeat_ms: heartbeatMs,
          lost: [],
          shards,
        });
        break;
      }
      case 'credits':
        this.#addCredits(frame.add);
        break;
      case 'withdraw': {
        const count = Math.min(frame.count, this.credits);
        this.credits -= count;
        this.#watches = true;
        this.#isTold = false;
        this.#out.push({ type: 'withdrawn', count });
        break;
      }
      case 'outcomes':
        for (const item of frame.items) if (this.leased.delete(item.task_id)) this.done++;
        this.#out.push({
          type: 'ack',
          items: frame.items.map(({ task_id, attempt }) => ({ task_id, attempt, status: 'recorded' })),
        });
        this.#addCredits(frame.credits);
        break;
      default:
        break;
    }
    this.#dispatch();
  }

  #addCredits(count: number): void {
    if (count > 0) this.#isTold = false;
    this.credits += count;
  }

  #dispatch(): void {
    const items = [];
    for (; this.waiting > 0 && this.credits > 0; this.waiting--, this.credits--) {
      const id = taskId(this.#shard * 1_000_000 + this.#made++).replace(/^\d+/, String(this.#shard)) as TaskId;
      this.leased.add(id);
      items.push(assignment(0, { task_id: id }));
    }
    if (items.length > 0) this.#out.push({ type: 'tasks', items });
    if (this.waiting === 0 || this.credits > 0 || !this.#watches || this.#isTold) return;
    this.#isTold = true;
    this.#out.push({ type: 'waiting' });
  }
}

function creditsOf(frame: WorkerFrame): number {
  if (frame.type === 'credits') return frame.add;
  return frame.type === 'hello' || frame.type === 'outcomes' ? frame.credits : 0;
}
