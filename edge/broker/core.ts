import type { Assignment, EdgeFrame, Progress, TaskId, WorkerId, TaskEnd } from '#protocol';
import type { EdgeConfig } from '../config.ts';
import type { Alarms } from '../lib/alarms.ts';
import type { Clock } from '../lib/clock.ts';
import type { SortableIds } from '../lib/ids.ts';
import type { Carry, ObjectAddress, Outbox } from '../lib/outbox.ts';
import type { OutboxStore } from '../lib/outbox-store.ts';
import type { Database } from '../lib/sql.ts';
import type { EventLog } from './events.ts';
import type { Allowance, Loan, Wish } from './flow/allowance.ts';
import type { LaneCounts } from './flow/counts.ts';
import type { Gate } from './flow/gate.ts';
import type { FlowRow, FlowSettings } from './flow/settings.ts';
import type { IdempotencyKeys } from './idempotency.ts';
import type { LaneTable } from './lane-table.ts';
import type { LeaseTable } from './leases.ts';
import type { ReadyQueue } from './ready-queue.ts';
import type { FinishedTask, FromBroker, TaskProgress } from './rpc.ts';
import type { Sessions, WorkerSession } from './sessions.ts';
import type { SpecTable } from './spec-table.ts';
import type { StoredQueue } from './stored-queue.ts';
import type { Submitters } from './submitters.ts';
import type { Tallies } from './tallies.ts';
import type { TaskStore } from './task-store.ts';
import type { WorkerTable } from './worker-table.ts';

/** What the broker’s alarm is for. */
export type AlarmName =
  /** Leases and hard time limits. */
  | 'leases'
  /** ETA, back-off, expiry. */
  | 'due'
  /** Deletion of what is old. */
  | 'retention'
  /** Messages that have not been acknowledged. */
  | 'outbox';

/** The stateless Worker as a worker. No token has an empty `sub`, so that nobody else can speak for it. */
export const edgeWorker = { id: 'edge' as WorkerId, sub: '' } as const;

/** What a commit leads to, once it is safe: gathered during the commit, carried out after it, forgotten if it fails. */
export interface Effects {
  /** Frames, or their texts. */
  frames: { socket: WebSocket; frame: EdgeFrame | string }[];
  closes: { socket: WebSocket; code: number; reason: string }[];
  /** Sessions whose credits changed. */
  sessions: Set<WorkerSession>;
  /** Tasks that are final now. */
  finished: TaskId[];
  /** Of those, the ones that may have left a snapshot. */
  stopped: TaskId[];
  /** By address: what parents are told through the outbox. */
  notices: Map<string, FinishedTask[]>;
  /** By address: what parents are told as well as it goes. */
  progress: Map<string, TaskProgress[]>;
  /** Attempts given to the stateless Worker. */
  edgeRuns: Assignment[];
  flushOutbox: boolean;
  /** Ends of tasks that submitters watch. */
  ends: TaskEnd[];
  /** Until a task may begin that waits for a rate alone; Infinity when there is none. */
  wakeInMs: number;
}

export function noEffects(): Effects {
  return {
    frames: [],
    closes: [],
    sessions: new Set(),
    finished: [],
    stopped: [],
    notices: new Map(),
    progress: new Map(),
    edgeRuns: [],
    flushOutbox: false,
    ends: [],
    wakeInMs: Infinity,
  };
}

/** The broker’s parts, which its actions work on. Everything but the tables of the database is a cache of them. */
export interface Core {
  readonly shard: number;
  readonly config: EdgeConfig;
  readonly clock: Clock;
  readonly ids: SortableIds;
  readonly database: Database;
  readonly specs: SpecTable;
  readonly tasks: TaskStore;
  readonly keys: IdempotencyKeys;
  readonly stored: StoredQueue;
  readonly lanes: LaneTable;
  readonly ready: ReadyQueue;
  readonly counts: LaneCounts;
  readonly flow: FlowSettings;
  readonly allowance: Allowance;
  readonly gate: Gate;
  readonly leases: LeaseTable;
  readonly workers: WorkerTable;
  readonly sessions: Sessions;
  readonly submitters: Submitters;
  readonly events: EventLog;
  readonly tallies: Tallies;
  readonly outbox: Outbox<FromBroker>;
  readonly outboxStore: OutboxStore;
  readonly alarms: Alarms<AlarmName>;
  /** Tasks whose progress has not been told yet. */
  readonly progressed: Map<TaskId, Progress>;
  /** Makes the lazy writes happen soon: progress, starts, counters. */
  readonly writeSoon: () => void;
  effects: Effects;
  /** How other objects are reached. */
  reach: Reach;
}

export interface Reach {
  /** Carries what the outbox sends. */
  carry: Carry;
  /** Tells progress as well as it goes. */
  tellProgress: (target: ObjectAddress, items: TaskProgress[]) => Promise<void>;
  /** What is set for queues and task types, as the first shard has it. */
  flowRows: () => Promise<FlowRow[]>;
  /** Asks a rate’s home shard for starts. */
  borrow: (wish: Wish) => Promise<Loan>;
}
