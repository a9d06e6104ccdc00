import type {
  Assignment,
  AttemptRef,
  Capabilities,
  Json,
  Outcome,
  Progress,
  RetryPolicy,
  WorkerFrame,
  WorkerId,
} from '#protocol';
import type { TabgridError } from '#protocol';
import type { AbortReason, ExecutionEvent } from '../execution/executor.ts';

/** Who a worker is and how it behaves. */
export interface SessionOptions {
  /** Unique among all workers; the same over reconnects. */
  workerId: WorkerId;
  name: string;
  queues: readonly string[];
  /** Attempts computed at a time. */
  concurrency: number;
  /** Tasks asked for per computing slot: 1 holds nothing that is not being computed; more hides the way to the edge from short tasks. */
  prefetch: number;
  /** Per slot: how many tasks of types that take less than a millisecond are handed over beyond those that are computed, so that threads get them many at a time. */
  briefTasksAhead: number;
  capabilities: Capabilities;
  kernelDigest: string;
  /** Starts per second, minute or hour, such as `10/s`; null for no limit. */
  rateLimit: string | null;
  /** How often a running attempt is asked for a snapshot, in ms; 0 asks only when leaving. */
  snapshotEveryMs: number;
  /** A connection without `welcome` after this long is given up. */
  connectTimeoutMs: number;
  /** Heartbeats without answer after which a connection counts as dead. */
  maxUnansweredPings: number;
  reconnect: RetryPolicy;
  /** How many edges give it tasks, each by itself. */
  edges: number;
}

/** One shard of one of the worker’s edges, both counted from 0. */
export interface LinkAddress {
  readonly edge: number;
  readonly shard: number;
}

/** `<edge>/<shard>` */
export type LinkId = `${number}/${number}`;

/** Of one link. */
export type LinkTimerName = 'reconnect' | 'connect' | 'heartbeat';
/** Of the whole session. */
export type SessionTimerName = 'flush' | 'rate' | 'leave';

/** What a session hears. */
export type SessionInput =
  | { type: 'start' }
  | { type: 'opened'; link: LinkId }
  | { type: 'closed'; link: LinkId; error: TabgridError | null }
  | { type: 'message'; link: LinkId; text: string }
  | { type: 'timer'; link: LinkId; name: LinkTimerName }
  | { type: 'timer'; link: null; name: SessionTimerName }
  | { type: 'execution'; ref: AttemptRef; event: ExecutionEvent }
  | { type: 'resize'; concurrency: number }
  /** Leaves in good order: hands back what can be continued elsewhere, finishes the rest, unless `graceMs` pass before. */
  | { type: 'drain'; reason: string; graceMs: number | null }
  /** Leaves at once. */
  | { type: 'leave'; reason: string };

/** What a session wants done, in order. */
export type SessionEffect =
  | { type: 'connect'; link: LinkId; address: LinkAddress }
  | { type: 'disconnect'; link: LinkId; reason: string }
  | { type: 'send'; link: LinkId; frame: WorkerFrame }
  | { type: 'ping'; link: LinkId }
  | { type: 'set_timer'; link: LinkId; name: LinkTimerName; ms: number }
  | { type: 'set_timer'; link: null; name: SessionTimerName; ms: number }
  | { type: 'clear_timer'; link: LinkId; name: LinkTimerName }
  | { type: 'clear_timer'; link: null; name: SessionTimerName }
  | { type: 'execute'; link: LinkId; assignment: Assignment; isBrief: boolean }
  | { type: 'abort'; ref: AttemptRef; reason: AbortReason }
  | { type: 'ask_snapshot'; ref: AttemptRef }
  | { type: 'resize'; concurrency: number }
  | { type: 'recycle' }
  | { type: 'event'; event: SessionEvent };

/** `connecting` also between attempts; `hello` until the edge has answered; `draining` while leaving in good order. */
export type SessionPhase = 'connecting' | 'hello' | 'working' | 'draining' | 'closed';

/** What a page, a log or a test may watch. */
export type SessionEvent =
  | { type: 'phase'; phase: SessionPhase; error: TabgridError | null }
  | { type: 'assigned'; assignment: Assignment }
  | { type: 'started'; ref: AttemptRef; task: string }
  | { type: 'progress'; ref: AttemptRef; task: string; progress: Progress }
  | { type: 'finished'; ref: AttemptRef; task: string; outcome: Outcome; runtimeMs: number }
  | { type: 'acknowledged'; ref: AttemptRef; status: 'recorded' | 'lease_lost' }
  /** No longer computed here; the task is not over. */
  | { type: 'dropped'; ref: AttemptRef; task: string; reason: AbortReason | 'adopted' }
  | { type: 'warning'; message: string };

/** A worker’s figures, as the control command `stats` answers. */
export interface SessionStats {
  [figure: string]: Json;
  phase: SessionPhase;
  concurrency: number;
  queues: string[];
  active: { task_id: string; attempt: number; task: string; running: boolean }[];
  /** Outcomes that the edge has not confirmed. */
  unacknowledged: number;
  succeeded: number;
  failed: number;
  busy_seconds: number;
  /** What remote control has set for single task types. */
  task_limits: Record<string, Json>;
  /** Connections made so far. */
  connections: number;
  /** Shards of edges that are connected. */
  links: number;
}
