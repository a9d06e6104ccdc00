import { DurableObject } from 'cloudflare:workers';
import {
  errorBody,
  errorCodes,
  TabgridError,
  workerSubprotocol,
  type Assignment,
  type AttemptRef,
  type ControlCommand,
  type Json,
  type JsonObject,
  type Outcome,
  type Principal,
  type QueuePatch,
  type Submitted,
  type TaskId,
  type TaskTypePatch,
  type TaskTypeSettings,
  type TaskView,
  type WorkerAnswers,
  type WorkerId,
  type WorkerView,
} from '#protocol';
import type { Env } from '../env.ts';
import { SwitchableClock } from '../lib/clock.ts';
import { log } from '../lib/log.ts';
import type { Envelope, ObjectAddress } from '../lib/outbox.ts';
import { reply, type Reply } from '../lib/rpc.ts';
import { Broking } from './broking.ts';
import type { Loan } from './flow/allowance.ts';
import type { FlowRow, FlowScope } from './flow/settings.ts';
import { inspectTasks } from './inspect.ts';
import { parseEventQuery } from './event-query.ts';
import { filterFor } from './events.ts';
import {
  principalHeader,
  type BrokerApi,
  type BrokerStats,
  type BulkRetried,
  type BulkRevoked,
  type EventPage,
  type EventPageQuery,
  type InspectedView,
  type LeaseRequest,
  type NewTask,
  type QueueView,
  type Recalled,
  type RecallQuery,
  type ShardHoldings,
} from './rpc.ts';
import type { RenewAnswer, ReportAnswer, RequestKey, TaskPage, TaskQuery } from './rpc.ts';
import { closeSocket } from './sessions.ts';
import { recall } from './submit.ts';
import { viewHoldings } from './views.ts';
import { closeCodes } from './worker-frames.ts';

/** The stateless Worker’s own entry point for light tasks, by loopback. */
function executorOf(context: DurableObjectState): { run(assignment: Assignment): Promise<Outcome> } {
  const { exports } = context as unknown as {
    exports: { EdgeExecutor: { run(assignment: Assignment): Promise<Outcome> } };
  };
  return exports.EdgeExecutor;
}

/**
 * One shard of the broker: the thin object. It turns what the runtime brings (RPC calls, frames, alarms) into work for `Broking`, which
 * does everything, and keeps nothing itself.
 */
export class Broker extends DurableObject<Env> implements BrokerApi {
  readonly clock = new SwitchableClock();
  /** Null until the shard is used. */
  #broking: Broking | null = null;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    const used = context.storage.sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'migrations'`).toArray();
    if (used.length > 0) this.#broking = this.#made();
  }

  get broking(): Broking {
    return (this.#broking ??= this.#made());
  }

  set broking(another: Broking) {
    this.#broking = another;
  }

  #made(): Broking {
    return new Broking(this.ctx, this.env, this.clock, (assignment) => executorOf(this.ctx).run(assignment));
  }

  /**
   * Ids name shards, so that anybody can ask for one that there never was: it has no tasks, and being asked leaves nothing behind.
   * @throws not_found
   */
  #shardOf(id: TaskId): Broking {
    if (this.#broking === null) throw new TabgridError('not_found', `there is no task ${id}`);
    return this.#broking;
  }

  submit(
    principal: Principal,
    tasks: NewTask[],
    request?: RequestKey,
    known?: (Submitted | null)[],
  ): Promise<Reply<Submitted[]>> {
    return reply(() => this.broking.submit(principal, tasks, request, known));
  }

  recall(principal: Principal, query: RecallQuery): Promise<Reply<Recalled>> {
    return reply(() => recall(this.broking.core, principal.sub, query));
  }

  holdings(): Promise<Reply<ShardHoldings>> {
    return reply(() => viewHoldings(this.broking.core));
  }

  get(principal: Principal, id: TaskId): Promise<Reply<TaskView>> {
    return reply(() => this.#shardOf(id).get(principal, id));
  }

  wait(principal: Principal, id: TaskId, seconds: number): Promise<Reply<TaskView>> {
    return reply(() => this.#shardOf(id).wait(principal, id, seconds));
  }

  list(principal: Principal, query: TaskQuery): Promise<Reply<TaskPage>> {
    return reply(() => this.broking.list(principal, query));
  }

  revoke(principal: Principal, id: TaskId, terminate: boolean): Promise<Reply<TaskView>> {
    return reply(() => this.#shardOf(id).revoke(principal, id, terminate));
  }

  retry(principal: Principal, id: TaskId, request?: RequestKey): Promise<Reply<Submitted>> {
    return reply(() => this.#shardOf(id).retry(principal, id, request));
  }

  revokeMany(
    principal: Principal,
    query: TaskQuery,
    terminate: boolean,
    cursor: string | null,
  ): Promise<Reply<BulkRevoked>> {
    return reply(() => this.broking.revokeMany(principal, query, terminate, cursor));
  }

  retryMany(principal: Principal, query: TaskQuery, cursor: string | null, limit: number): Promise<Reply<BulkRetried>> {
    return reply(() => this.broking.retryMany(principal, query, cursor, limit));
  }

  events(principal: Principal, page: EventPageQuery): Promise<Reply<EventPage>> {
    return reply(() => this.broking.history(principal, page));
  }

  queues(): Promise<Reply<QueueView[]>> {
    return reply(() => this.broking.queues());
  }

  patchQueue(queue: string, patch: QueuePatch): Promise<Reply<QueueView>> {
    return reply(() => this.broking.flow.patchQueue(queue, patch));
  }

  purge(queue: string, { scheduled }: { scheduled: boolean }): Promise<Reply<number>> {
    return reply(() => this.broking.flow.purge(queue, scheduled));
  }

  patchTaskType(task: string, patch: TaskTypePatch): Promise<Reply<TaskTypeSettings>> {
    return reply(() => this.broking.flow.patchTaskType(task, patch));
  }

  taskTypeSettings(): Promise<Reply<Record<string, TaskTypeSettings>>> {
    return reply(() => this.broking.flow.taskTypes());
  }

  flowRows(): Promise<Reply<FlowRow[]>> {
    return reply(() => this.broking.core.flow.rows());
  }

  lend(scope: FlowScope, name: string, count: number): Promise<Reply<Loan>> {
    return reply(() => this.broking.flow.lend(scope, name, count));
  }

  workers(): Promise<Reply<WorkerView[]>> {
    return reply(() => this.broking.workers());
  }

  lease(principal: Principal, request: LeaseRequest): Promise<Reply<Assignment[]>> {
    return reply(() => this.broking.lease(principal, request));
  }

  renew(principal: Principal, id: TaskId, { attempt }: { attempt: number }): Promise<Reply<RenewAnswer>> {
    return reply(() => this.#shardOf(id).renew(principal, id, attempt));
  }

  progress(principal: Principal, id: TaskId, body: Parameters<BrokerApi['progress']>[2]): Promise<Reply<ReportAnswer>> {
    return reply(() => this.#shardOf(id).progress(principal, id, body));
  }

  result(principal: Principal, id: TaskId, body: Parameters<BrokerApi['result']>[2]): Promise<Reply<ReportAnswer>> {
    const outcome: Outcome = { type: 'success', result: body.result };
    return reply(() =>
      this.#shardOf(id).report(principal, { task_id: id, attempt: body.attempt }, outcome, body.runtime_ms),
    );
  }

  failure(principal: Principal, id: TaskId, body: Parameters<BrokerApi['failure']>[2]): Promise<Reply<ReportAnswer>> {
    const outcome: Outcome = { type: 'failure', error: body.error, retryable: body.retryable };
    return reply(() =>
      this.#shardOf(id).report(principal, { task_id: id, attempt: body.attempt }, outcome, body.runtime_ms),
    );
  }

  release(principal: Principal, id: TaskId, body: Parameters<BrokerApi['release']>[2]): Promise<Reply<ReportAnswer>> {
    const outcome: Outcome = { type: 'released', reason: body.reason };
    const ref = { task_id: id, attempt: body.attempt };
    return reply(() => this.#shardOf(id).report(principal, ref, outcome, undefined, body.snapshot));
  }

  adopt(principal: Principal, group: string, items: AttemptRef[]): Promise<Reply<AttemptRef[]>> {
    return reply(() => this.broking.adopt(principal, group, items));
  }

  control(workerId: WorkerId, command: ControlCommand, args: JsonObject): Promise<Reply<Json>> {
    return reply(() => this.broking.controls.ask(workerId, command, args));
  }

  controlMany(
    workerIds: WorkerId[],
    command: ControlCommand,
    args: JsonObject,
    timeoutMs: number,
  ): Promise<Reply<WorkerAnswers>> {
    return reply(() => this.broking.controls.askMany(workerIds, command, args, timeoutMs));
  }

  connected(): Promise<Reply<{ worker_id: WorkerId; name: string }[]>> {
    return reply(() => this.broking.sessions.list());
  }

  inspect(principal: Principal, view: InspectedView): Promise<Reply<TaskView[]>> {
    return reply(() => inspectTasks(this.broking.core, principal, view));
  }

  deliver(sender: ObjectAddress, messages: Envelope[]): Promise<Reply<number>> {
    return reply(() => this.broking.deliver(sender, messages));
  }

  stats(): Promise<Reply<BrokerStats>> {
    return reply(() => this.broking.stats());
  }

  /** The sockets. The Worker has checked the token and passes its bearer in a header. */
  override async fetch(request: Request): Promise<Response> {
    try {
      return this.#openSocket(request);
    } catch (error) {
      if (!(error instanceof TabgridError)) throw error;
      return Response.json(errorBody(error), { status: errorCodes[error.code].status });
    }
  }

  #openSocket(request: Request): Response {
    const principal = JSON.parse(request.headers.get(principalHeader) ?? 'null') as Principal | null;
    if (principal === null) throw new TabgridError('unauthorized', 'the request came without a bearer');
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
      throw new TabgridError('upgrade_required', 'this route speaks WebSocket only');
    }
    const url = new URL(request.url);
    const { 0: client, 1: server } = new WebSocketPair();
    if (url.pathname === '/v1/worker') {
      this.broking.sessions.accept(server, principal);
    } else if (url.pathname === '/v1/submit') {
      this.broking.core.submitters.accept(server, principal);
    } else if (url.pathname === '/v1/events') {
      const { query, ...from } = parseEventQuery(url.searchParams);
      this.broking.listeners.accept(server, filterFor(principal, query), from);
    } else {
      throw new TabgridError('not_found', `there is no socket at ${url.pathname}`);
    }
    const offered =
      request.headers
        .get('sec-websocket-protocol')
        ?.split(',')
        .map((name) => name.trim()) ?? [];
    const headers = offered.includes(workerSubprotocol) ? { 'sec-websocket-protocol': workerSubprotocol } : undefined;
    return new Response(null, { status: 101, webSocket: client, ...(headers === undefined ? {} : { headers }) });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    await this.broking.take(socket, message);
  }

  override async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
    // workerd leaves the answer to the object; without it the other end waits until the object is evicted.
    closeSocket(socket, closeCodes.goodbye, '');
    await this.broking.closed(socket, reason === '' ? `closed with code ${code}` : reason);
  }

  override async webSocketError(socket: WebSocket, error: unknown): Promise<void> {
    log('info', 'socket-error', { error });
    await this.broking.closed(socket, 'the connection broke');
  }

  override async alarm(): Promise<void> {
    await this.broking.alarm();
  }
}
