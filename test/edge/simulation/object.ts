import type { Assignment, Outcome, Principal } from '#protocol';
import { Broking } from '../../../edge/broker/broking.ts';
import type { Core } from '../../../edge/broker/core.ts';
import { workerTag } from '../../../edge/broker/sessions.ts';
import type { Env } from '../../../edge/env.ts';
import type { Carry } from '../../../edge/lib/outbox.ts';
import { MortalClock, type Timeline } from './timeline.ts';
import type { FakeSocket } from './wire.ts';

/** Times of a second where a deployment has ten, so that a schedule is short. */
const config = {
  leaseMs: 3_000,
  heartbeatMs: 800,
  hardLimitGraceMs: 500,
  retry: { baseDelayMs: 500, factor: 2, maxDelayMs: 2_000, jitter: true },
  extraLosses: 10_000,
  progressIntervalMs: 200,
  edgeConcurrency: 2,
  edgeTimeLimitMs: 2_000,
};

export interface ObjectParts {
  readonly timeline: Timeline;
  readonly storage: DurableObjectStorage;
  readonly carry: Carry;
  /** A light task runs in the stateless Worker; what never answers was lost. */
  readonly runAtEdge: (assignment: Assignment) => Promise<Outcome>;
  /** Of a commit that fails at its end. */
  readonly commitFailure: number;
}

/** The broker’s object on its real storage, with sockets, alarm and clock of the simulation. It can lose its memory at any moment. */
export class SimulatedObject {
  broking: Broking;
  readonly #parts: ObjectParts;
  readonly #sockets = new Set<FakeSocket>();
  #clock: MortalClock;
  #cancelAlarm: (() => void) | null = null;
  #alarmMs: number | null = null;
  #isBuilt = false;

  constructor(parts: ObjectParts) {
    this.#parts = parts;
    wipe(parts.storage);
    this.#clock = new MortalClock(parts.timeline);
    this.broking = this.#build();
  }

  get core(): Core {
    return this.broking.core;
  }

  accept(socket: FakeSocket, principal: Principal): void {
    this.#sockets.add(socket);
    this.broking.sessions.accept(asSocket(socket), principal);
  }

  hear(socket: FakeSocket, text: string): void {
    void this.broking.take(asSocket(socket), text);
  }

  hearClose(socket: FakeSocket): void {
    this.#sockets.delete(socket);
    this.broking.closed(asSocket(socket), 'closed').catch(() => undefined);
  }

  /** The object is made anew from its storage. What was under way in it is lost; its sockets live on, as after hibernation. */
  rebuild(): void {
    this.#clock.die();
    this.#clock = new MortalClock(this.#parts.timeline);
    this.broking = this.#build();
  }

  /** As `rebuild`, with all connections gone; `restart`: by a process that does not know it. */
  crash(restart: boolean): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
    if (restart) this.#parts.storage.sql.exec(`UPDATE meta SET value = 'another' WHERE name = 'process'`);
    this.rebuild();
  }

  #build(): Broking {
    const { timeline, storage, carry, runAtEdge } = this.#parts;
    this.#isBuilt = false;
    const context = {
      id: { name: 'broker-0' },
      storage: {
        sql: storage.sql,
        transactionSync: (body: () => unknown) => this.#transaction(body),
        getAlarm: () => Promise.resolve(this.#alarmMs),
        setAlarm: (dueMs: number) => this.#setAlarm(dueMs),
      },
      acceptWebSocket: () => undefined,
      getWebSockets: (tag: string) => (tag === workerTag ? [...this.#sockets] : []),
      setWebSocketAutoResponse: () => undefined,
      getWebSocketAutoResponseTimestamp: ({ heartbeatMs }: FakeSocket) =>
        heartbeatMs === null ? null : new Date(heartbeatMs),
      waitUntil: () => undefined,
    } as unknown as DurableObjectState;
    const env = { TABGRID_CONFIG: JSON.stringify(config) } as Env;
    const broking = new Broking(context, env, this.#clock, runAtEdge);
    this.#isBuilt = true;
    broking.core.reach = { ...broking.core.reach, carry };
    // An alarm that fell due while nobody was there.
    if (this.#alarmMs !== null) void this.#setAlarm(Math.max(this.#alarmMs, timeline.nowMs));
    return broking;
  }

  #transaction(body: () => unknown): unknown {
    const { storage, timeline, commitFailure } = this.#parts;
    return storage.transactionSync(() => {
      const result = body();
      if (this.#isBuilt && timeline.random.chance(commitFailure)) throw new Error('the disk is full');
      return result;
    });
  }

  #setAlarm(dueMs: number): Promise<void> {
    this.#cancelAlarm?.();
    this.#alarmMs = dueMs;
    this.#cancelAlarm = this.#parts.timeline.after(Math.max(0, dueMs - this.#parts.timeline.nowMs), () => {
      this.#alarmMs = null;
      // The runtime repeats an alarm that fails.
      this.broking.alarm().catch(() => this.#setAlarm(this.#parts.timeline.nowMs + 1_000));
    });
    return Promise.resolve();
  }
}

function asSocket(socket: FakeSocket): WebSocket {
  return socket as unknown as WebSocket;
}

/** One storage serves many schedules. */
function wipe(storage: DurableObjectStorage): void {
  const tables = storage.sql
    .exec<{ name: string }>(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'`,
    )
    .toArray();
  for (const { name } of tables) storage.sql.exec(`DROP TABLE "${name}"`);
}
