import type {
  Assignment,
  AttemptRef,
  CampaignId,
  ControlCommand,
  ErrorCode,
  EventType,
  GridEvent,
  Json,
  JsonObject,
  Outcome,
  Principal,
  Progress,
  QueuePatch,
  QueueSettings,
  RetryPolicy,
  Snapshot,
  Submitted,
  TaskError,
  TaskId,
  TaskParent,
  TaskState,
  TaskTypePatch,
  TaskTypeSettings,
  TaskView,
  WorkerAnswers,
  WorkerId,
  WorkerView,
  WorkflowId,
  Capabilities,
} from '#protocol';
import type { Env } from '../env.ts';
import { stubOf, type Receiver } from '../lib/delivery.ts';
import type { ObjectAddress } from '../lib/outbox.ts';
import type { Loan } from './flow/allowance.ts';
import type { FlowRow, FlowScope } from './flow/settings.ts';
import type { ConcurrencyLimit } from './lanes.ts';
import type { Reply } from '../lib/rpc.ts';
import type { EventQuery } from './events.ts';

/** What the Broker object offers to the Worker and to other objects. All answers are `Reply`s: see `call` and `unwrap` in `lib/rpc.ts`. */

/** The header in which the Worker, having checked the token, passes the `Principal` (JSON) on socket requests. */
export const principalHeader = 'x-tabgrid-principal';

/** A task that is checked and complete: every default is filled in. Made by `prepare` in `edge/tasks/prepare.ts`. Times in ms. */
export interface NewTask {
  /** Given by a sender that wants no answer, and then also its protection against duplicates. */
  task_id?: TaskId;
  task: string;
  /** As submitted. */
  args: Json[];
  /** With positional ones merged and defaults filled in: what the body gets. */
  kwargs: JsonObject;
  /** What a worker must provide: the task’s name first. */
  needs: string[];
  /** Light enough for the stateless Worker, so that it may run without a worker. */
  edge: boolean;
  queue: string;
  priority: number;
  eta_ms: number | null;
  expires_ms: number | null;
  max_retries: number;
  retry: RetryPolicy;
  /** Errors after which it is tried again, and no others. Absent: those that another attempt may mend. */
  retry_on?: ErrorCode[];
  /** Errors after which it is not. */
  dont_retry_on?: ErrorCode[];
  soft_time_limit_ms: number;
  time_limit_ms: number;
  /** It named a time limit itself, so that none set for its type at run time counts. */
  own_time_limits?: true;
  /** Time limits are for one item; so many are in it. Absent for one. */
  items?: number;
  labels: string[];
  owner: string;
  parent: TaskParent | null;
  retry_of: TaskId | null;
  idempotency_key: string | null;
  /** At most so many of this owner’s tasks with this key run at a time. */
  concurrency?: ConcurrencyLimit;
  /** Who is told when it is final, and of its progress. */
  notify?: ObjectAddress;
  /** The notified object’s own name for it. */
  ref?: string;
  /** No worker gets it: an object stands behind it. It is STARTED from the start and ends by a `finish` message. */
  held?: boolean;
}

/** A request’s `Idempotency-Key` and the digest of its body. */
export interface RequestKey {
  key: string;
  bodyDigest: string;
}

/** Keys of a submission, each with what was submitted under it. */
export interface RecallQuery {
  readonly request: RequestKey | null;
  /** Of each task in turn; null for one without a key. */
  readonly tasks: readonly ({ readonly key: string; readonly digest: string } | null)[];
}

/** Answers that were given under them. */
export interface Recalled {
  readonly request: Submitted[] | null;
  readonly tasks: (Submitted | null)[];
}

/** What a shard still has. */
export interface ShardHoldings {
  /** Tasks that are not final. */
  readonly unfinished: number;
  /** Any task: final ones are kept for their retention. */
  readonly has_tasks: boolean;
  /** Messages to other objects that have not been acknowledged. */
  readonly has_unsent: boolean;
  readonly workers_online: number;
  readonly database_bytes: number;
}

export interface TaskQuery {
  /** In one of these. */
  states?: readonly TaskState[];
  task?: string;
  queue?: string;
  worker?: string;
  /** With all of these. */
  labels?: readonly string[];
  /** The code of its error. */
  error?: ErrorCode;
  campaign_id?: CampaignId;
  workflow_id?: WorkflowId;
  /** Created at or after this, ms since 1970. */
  since_ms?: number;
  /** Created before this. */
  until_ms?: number;
  /** Default: the newest first. */
  order?: 'newest' | 'oldest';
  limit?: number;
  /** From the page before; opaque. */
  cursor?: string;
}

/** A page may be short of `limit` although more follow: look at `next_cursor` alone. */
export interface TaskPage {
  tasks: TaskView[];
  next_cursor: string | null;
}

export interface BulkRevoked {
  /** Tasks that are REVOKED now, or get no further attempt, because of this request. */
  revoked: number;
  /** Null when all have been looked at. */
  next_cursor: string | null;
}

/** A new task that stands for a dead one. */
export interface RetriedTask extends Submitted {
  retry_of: TaskId;
}

export interface BulkRetried {
  tasks: RetriedTask[];
  next_cursor: string | null;
}

/** Views of `inspect` that the broker answers itself. */
export type InspectedView = 'active' | 'reserved' | 'scheduled' | 'revoked';

export interface EventPageQuery {
  query: EventQuery;
  /** Events with a greater number. */
  after?: number;
  /** Events of this time or later, ms since 1970. */
  since_ms?: number;
  limit: number;
}

/** Oldest first. A page may be short of `limit` although more follow: that is so while `seq` is less than `newest_seq`. */
export interface EventPage {
  events: GridEvent[];
  position: EventPosition;
}

/** Where a reader of a shard’s events is. */
export interface EventPosition {
  shard: number;
  /** Of the oldest event that is still remembered. */
  oldest_seq: number;
  newest_seq: number;
  /** The last one that was looked at: go on with `after`. */
  seq: number;
}

export interface QueueView extends QueueSettings {
  queue: string;
  /** Ready to be claimed. */
  waiting: number;
  /** Waiting for their ETA or back-off. */
  scheduled: number;
  /** Held by workers. */
  running: number;
  /** Seconds since the oldest ready task was submitted; null when none waits. */
  oldest_age: number | null;
}

export interface LeaseRequest {
  worker_id: WorkerId;
  queues: string[];
  count: number;
  capabilities: Capabilities;
  kernel_digest: string;
}

export interface RenewAnswer {
  /** From now. */
  lease_ms: number;
}

/** What a worker’s report was worth. A lost lease is the error `lease_lost` instead. */
export interface ReportAnswer {
  status: 'recorded';
}

/** What has happened to tasks, by task type, since the shard began. */
export interface TaskTallies {
  /** Events of each type. */
  events: { type: EventType; task: string; queue: string; count: number }[];
  /** Attempts after which another one was made, by the code of the error or `released`. */
  retries: { task: string; reason: ErrorCode | 'released'; count: number }[];
  /** Tasks that failed for good, by the code of their error. */
  failures: { task: string; error: ErrorCode; count: number }[];
  /** Runtimes of the attempts that ended tasks: how many in each bucket of `runtimeBounds`, and one for what is longer. */
  runtimes: { task: string; state: 'SUCCESS' | 'FAILURE'; buckets: number[]; seconds: number }[];
}

/** Sums since the shard began, unless it says otherwise. */
export interface BrokerStats {
  shard: number;
  tallies: TaskTallies;
  queues: QueueView[];
  workers_online: number;
  event_seq: number;
  database_bytes: number;
  /** Since the object was last built. */
  rows_written: number;
  rows_read: number;
}

export interface BrokerApi extends Receiver {
  /**
   * All or none. Repeats of a request’s or a task’s key answer with the task of the first time.
   * @param known of each task, the answer that another shard has given under its key.
   */
  submit(
    principal: Principal,
    tasks: NewTask[],
    request?: RequestKey,
    known?: (Submitted | null)[],
  ): Promise<Reply<Submitted[]>>;
  /** What was answered here under these keys. @throws idempotency_conflict for one that came with something else. */
  recall(principal: Principal, query: RecallQuery): Promise<Reply<Recalled>>;
  holdings(): Promise<Reply<ShardHoldings>>;
  get(principal: Principal, id: TaskId): Promise<Reply<TaskView>>;
  /** The task once it is final, or as it is after `seconds`. */
  wait(principal: Principal, id: TaskId, seconds: number): Promise<Reply<TaskView>>;
  list(principal: Principal, query: TaskQuery): Promise<Reply<TaskPage>>;
  /** Not begun: REVOKED at once. Running: REVOKED and stopped with `terminate`; without it the attempt may end, but no other follows. */
  revoke(principal: Principal, id: TaskId, terminate: boolean): Promise<Reply<TaskView>>;
  /** Runs a final task again, as a new one with `retry_of`. @throws conflict when it is not final. */
  retry(principal: Principal, id: TaskId, request?: RequestKey): Promise<Reply<Submitted>>;
  /** Revokes what the query describes, from the newest to the oldest; call it again with `next_cursor` until that is null. */
  revokeMany(
    principal: Principal,
    query: TaskQuery,
    terminate: boolean,
    cursor: string | null,
  ): Promise<Reply<BulkRevoked>>;
  /** Runs dead tasks again, each once, however often it is asked. */
  retryMany(principal: Principal, query: TaskQuery, cursor: string | null, limit: number): Promise<Reply<BulkRetried>>;
  events(principal: Principal, page: EventPageQuery): Promise<Reply<EventPage>>;
  queues(): Promise<Reply<QueueView[]>>;
  /** Changes what is set for a queue at run time. */
  patchQueue(queue: string, patch: QueuePatch): Promise<Reply<QueueView>>;
  /** Revokes what waits in a queue, except what came after the call. @returns how many */
  purge(queue: string, options: { scheduled: boolean }): Promise<Reply<number>>;
  patchTaskType(task: string, patch: TaskTypePatch): Promise<Reply<TaskTypeSettings>>;
  taskTypeSettings(): Promise<Reply<Record<string, TaskTypeSettings>>>;
  /** For a shard that is added: what is set here. */
  flowRows(): Promise<Reply<FlowRow[]>>;
  /** Starts under a rate of which this is the home shard. */
  lend(scope: FlowScope, name: string, count: number): Promise<Reply<Loan>>;
  workers(principal: Principal): Promise<Reply<WorkerView[]>>;
  lease(principal: Principal, request: LeaseRequest): Promise<Reply<Assignment[]>>;
  renew(principal: Principal, id: TaskId, body: { attempt: number }): Promise<Reply<RenewAnswer>>;
  progress(
    principal: Principal,
    id: TaskId,
    body: { attempt: number; progress: Progress },
  ): Promise<Reply<ReportAnswer>>;
  result(
    principal: Principal,
    id: TaskId,
    body: { attempt: number; result: Json; runtime_ms?: number },
  ): Promise<Reply<ReportAnswer>>;
  failure(
    principal: Principal,
    id: TaskId,
    body: { attempt: number; error: TaskError; retryable: boolean; runtime_ms?: number },
  ): Promise<Reply<ReportAnswer>>;
  release(
    principal: Principal,
    id: TaskId,
    body: { attempt: number; reason: string; snapshot?: Snapshot },
  ): Promise<Reply<ReportAnswer>>;
  /** The attempts are now kept durably by a group: the lease lasts to the hard limit, and any worker of the same `sub` may report. @returns those that are lost. */
  adopt(principal: Principal, group: string, items: AttemptRef[]): Promise<Reply<AttemptRef[]>>;
  /** Asks a connected worker and awaits its reply. @throws not_found, unavailable */
  control(workerId: WorkerId, command: ControlCommand, args: JsonObject): Promise<Reply<Json>>;
  /** Asks several; those that are not connected here count as silent. */
  controlMany(
    workerIds: WorkerId[],
    command: ControlCommand,
    args: JsonObject,
    timeoutMs: number,
  ): Promise<Reply<WorkerAnswers>>;
  /** Who has a socket here. */
  connected(): Promise<Reply<{ worker_id: WorkerId; name: string }[]>>;
  inspect(principal: Principal, view: InspectedView): Promise<Reply<TaskView[]>>;
  stats(): Promise<Reply<BrokerStats>>;
}

/** What other objects say to the Broker through their outbox. */
export type ToBroker =
  | { type: 'submit'; tasks: NewTask[] }
  /** Without `terminate`, attempts that have begun may end. Default true. */
  | { type: 'revoke'; task_ids: TaskId[]; terminate?: boolean }
  /** Ends a `held` task. */
  | { type: 'finish'; task_id: TaskId; outcome: Outcome }
  /** Progress of a `held` task. */
  | { type: 'progress'; task_id: TaskId; progress: Progress }
  /** Events of the sender’s own, to appear in the shard’s log; `owner` may see them. */
  | { type: 'events'; owner: string; items: ParentEvent[] };

export interface ParentEvent {
  type: EventType;
  time_ms: number;
  campaign_id?: CampaignId;
  workflow_id?: WorkflowId;
  data: Json;
}

/** What the Broker says through its outbox to the object that a task names in `notify`. */
export type FromBroker =
  | { type: 'finished'; items: FinishedTask[] }
  /** Somebody revoked the held task. */
  | { type: 'revoked'; task_id: TaskId; terminate: boolean };

export interface FinishedTask {
  task_id: TaskId;
  ref: string;
  state: 'SUCCESS' | 'FAILURE' | 'REVOKED';
  result: Json;
  error: TaskError | null;
  /** Of the attempt that ended it; 0 where none began. */
  runtime_ms: number;
}

/** Best effort, not through the outbox: some may be missing, and they may come late. */
export interface TaskProgress {
  task_id: TaskId;
  ref: string;
  progress: Progress;
}

/** What an object offers that is named in `notify`. */
export interface ParentApi extends Receiver {
  taskProgress(items: TaskProgress[]): Promise<Reply<null>>;
}

export function brokerAddress(shard: number): ObjectAddress {
  return { object: 'broker', name: `broker-${shard}` };
}

/** The Broker shard as callers see it; `fetch` takes the sockets `/v1/worker` and `/v1/events`. */
export function brokerShard(env: Env, shard: number): BrokerApi & Fetcher {
  return stubOf<BrokerApi>(env, brokerAddress(shard));
}
