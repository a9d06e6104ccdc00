import {
  sortableId,
  workerFrameSchema,
  type Assignment,
  type AttemptRef,
  type EdgeFrame,
  type TaskId,
  type WorkerFrame,
} from '#protocol';
import type { TabgridError, WorkerId } from '#protocol';
import {
  attemptKey,
  sessionDefaults,
  WorkerSession,
  type AbortReason,
  type Clock,
  type Connection,
  type ExecutionEvent,
  type ExecutionListener,
  type Executor,
  type SessionEvent,
  type SessionOptions,
  type Transport,
  type TransportListener,
} from '../../../client/worker/index.ts';

/** A clock that moves only when it is told to. */
export class FakeClock implements Clock {
  #nowMs = 1_700_000_000_000;
  #timers: { dueMs: number; order: number; run: () => void }[] = [];
  #order = 0;
  randomValue = 0.5;

  now(): number {
    return this.#nowMs;
  }

  random(): number {
    return this.randomValue;
  }

  setTimer(ms: number, run: () => void): () => void {
    const timer = { dueMs: this.#nowMs + ms, order: this.#order++, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  get pending(): number {
    return this.#timers.length;
  }

  /** Lets time pass; timers run at their due times, in order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const [next] = this.#timers
        .filter(({ dueMs }) => dueMs <= untilMs)
        .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
      if (!next) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.run();
    }
    this.#nowMs = untilMs;
  }
}

/** One connection as the edge sees it. */
export class FakeConnection implements Connection {
  readonly frames: WorkerFrame[] = [];
  pings = 0;
  closedBecause: string | null = null;
  readonly shard: number;
  readonly #listener: TransportListener;
  #state: 'connecting' | 'open' | 'closed' = 'connecting';

  constructor(listener: TransportListener, shard = 0) {
    this.#listener = listener;
    this.shard = shard;
  }

  send(text: string): void {
    if (this.#state !== 'open') return;
    if (text === 'ping') this.pings++;
    else this.frames.push(workerFrameSchema.parse(JSON.parse(text)));
  }

  close(reason: string): void {
    this.closedBecause ??= reason;
    this.#state = 'closed';
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  open(): void {
    this.#state = 'open';
    this.#listener.opened();
  }

  say(frame: EdgeFrame): void {
    if (this.#state === 'open') this.#listener.message(JSON.stringify(frame));
  }

  sayText(text: string): void {
    if (this.#state === 'open') this.#listener.message(text);
  }

  drop(error: TabgridError | null = null): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#listener.closed(error);
  }

  sent<Type extends WorkerFrame['type']>(type: Type): Extract<WorkerFrame, { type: Type }>[] {
    return this.frames.filter((frame): frame is Extract<WorkerFrame, { type: Type }> => frame.type === type);
  }
}

export class FakeTransport implements Transport {
  readonly connections: FakeConnection[] = [];

  connect(listener: TransportListener, shard = 0): Connection {
    const connection = new FakeConnection(listener, shard);
    this.connections.push(connection);
    return connection;
  }

  /** The newest connection to a shard. */
  to(shard: number): FakeConnection {
    return this.connections.findLast((connection) => connection.shard === shard)!;
  }

  get last(): FakeConnection {
    return this.connections.at(-1)!;
  }
}

/** An executor whose attempts end when the test says so. */
export class FakeExecutor implements Executor {
  readonly running = new Map<string, { assignment: Assignment; tell: ExecutionListener }>();
  readonly aborted: { ref: AttemptRef; reason: AbortReason }[] = [];
  readonly snapshotsAsked: AttemptRef[] = [];
  concurrency = 0;
  recycled = 0;

  start(assignment: Assignment, tell: ExecutionListener): void {
    this.running.set(attemptKey(assignment), { assignment, tell });
    tell({ type: 'started' });
  }

  abort(ref: AttemptRef, reason: AbortReason): void {
    this.aborted.push({ ref, reason });
    if (reason === 'revoked') this.tell(ref, { type: 'finished', outcome: { type: 'revoked' }, runtimeMs: 1 });
    this.running.delete(attemptKey(ref));
  }

  askSnapshot(ref: AttemptRef): void {
    this.snapshotsAsked.push(ref);
  }

  resize(concurrency: number): void {
    this.concurrency = concurrency;
  }

  recycle(): void {
    this.recycled++;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  tell(ref: AttemptRef, event: ExecutionEvent): void {
    const execution = this.running.get(attemptKey(ref));
    if (event.type === 'finished' || event.type === 'adopted') this.running.delete(attemptKey(ref));
    execution?.tell(event);
  }

  succeed(ref: AttemptRef, result: number | string = 'done', runtimeMs = 10): void {
    this.tell(ref, { type: 'finished', outcome: { type: 'success', result }, runtimeMs });
  }
}

export const digest = 'ab'.repeat(32);
export const leaseMs = 30_000;
export const heartbeatMs = 8_000;

export function taskId(number: number): TaskId {
  const random = new Uint8Array(10);
  new DataView(random.buffer).setUint32(6, number);
  return `0-${sortableId(1_700_000_000_000, random)}` as TaskId;
}

export function assignment(number: number, overrides: Partial<Assignment> = {}): Assignment {
  return {
    task_id: taskId(number),
    attempt: 1,
    task: 'ping',
    args: [],
    kwargs: {},
    queue: 'default',
    priority: 5,
    retries: 0,
    owner: 'alice',
    soft_time_limit_ms: 3_000_000,
    time_limit_ms: 3_600_000,
    snapshot: null,
    ...overrides,
  };
}

export function refOf({ task_id, attempt }: AttemptRef): AttemptRef {
  return { task_id, attempt };
}

export function welcome(lost: AttemptRef[] = [], maxHolding?: number): EdgeFrame {
  const more = maxHolding === undefined ? {} : { max_holding: maxHolding };
  return { type: 'welcome', protocol: 1, lease_ms: leaseMs, heartbeat_ms: heartbeatMs, lost, ...more };
}

/** A session among fakes, not started. @param others transports to further edges. */
export function setup(overrides: Partial<SessionOptions> = {}, ...others: FakeTransport[]) {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  const executor = new FakeExecutor();
  const events: SessionEvent[] = [];
  const session = new WorkerSession(
    {
      ...sessionDefaults,
      workerId: 'lab:1' as WorkerId,
      name: 'lab',
      queues: ['default'],
      concurrency: 2,
      capabilities: { runtime: 'node', cores: 2, gpu: false, tasks: ['ping'], evaluators: [] },
      kernelDigest: digest,
      edges: 1 + others.length,
      ...overrides,
    },
    { transports: [transport, ...others], executor, clock, onEvent: (event) => events.push(event) },
  );
  return { clock, transport, executor, events, session };
}

/** The same, connected and welcomed. */
export function online(overrides: Partial<SessionOptions> = {}) {
  const world = setup(overrides);
  world.session.start();
  world.transport.last.open();
  world.transport.last.say(welcome());
  return { ...world, edge: world.transport.last };
}

/** Connects again after a loss, without waiting longer than the longest back-off. */
export function reconnect(
  { clock, transport }: { clock: FakeClock; transport: FakeTransport },
  lost: AttemptRef[] = [],
) {
  const before = transport.connections.length;
  while (transport.connections.length === before) clock.advance(100);
  transport.last.open();
  transport.last.say(welcome(lost));
  return transport.last;
}
