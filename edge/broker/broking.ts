import {
  isFinal,
  TabgridError,
  type Assignment,
  type AttemptRef,
  type Outcome,
  type Principal,
  type Progress,
  type Snapshot,
  type Submitted,
  type TaskId,
  type TaskView,
  type WorkerView,
} from '#protocol';
import type { Env } from '../env.ts';
import type { Clock } from '../lib/clock.ts';
import { log } from '../lib/log.ts';
import { receive, type Envelope, type ObjectAddress } from '../lib/outbox.ts';
import { carryOut, concludeCommit, Waiters, type Executor } from './aftermath.ts';
import { buildCore, restoreCore } from './build.ts';
import { maxBulkSteps, retryStep, revokeStep } from './bulk.ts';
import { Controls } from './control.ts';
import { edgeWorker, type Core } from './core.ts';
import { claimOverHttp } from './claim.ts';
import { eventHistory } from './event-history.ts';
import { EventSockets } from './event-sockets.ts';
import type { Wish } from './flow/allowance.ts';
import { FlowControl } from './flow/control.ts';
import { viewQueues } from './flow/queue-views.ts';
import type { StoredEvent } from './events.ts';
import { GroupCommit } from './group-commit.ts';
import { requestKey } from './idempotency.ts';
import { LazyWrites } from './lazy-writes.ts';
import type { Reporter } from './leases.ts';
import { applyMessage } from './messages.ts';
import { adopt, keepSnapshot, leaseLost, progress, renewLease, report } from './reports.ts';
import { revokeOwn } from './revoke.ts';
import type {
  BrokerStats,
  BulkRetried,
  BulkRevoked,
  EventPage,
  EventPageQuery,
  LeaseRequest,
  NewTask,
  QueueView,
  RenewAnswer,
  ReportAnswer,
  RequestKey,
  TaskPage,
  TaskQuery,
} from './rpc.ts';
import { closeSocket, send, type Sessions } from './sessions.ts';
import { retryTask, submit } from './submit.ts';
import { Submitting } from './submitting.ts';
import { loseLease, sweep } from './sweep.ts';
import { listTasks, viewTask, viewWorkers } from './views.ts';
import { closeCodes, errorFrame, hello, leave, parseFrame, takeFrame } from './worker-frames.ts';

/** The broker’s actions, each one work in a group commit. Refusals are thrown as `TabgridError`s. */
export class Broking {
  readonly core: Core;
  readonly sessions: Sessions;
  readonly listeners: EventSockets;
  readonly controls: Controls;
  readonly flow: FlowControl;
  readonly submitting: Submitting;
  /** Runs light tasks; tests put their own in its place. */
  executor: Executor;
  readonly #commits: GroupCommit;
  readonly #waiters = new Waiters();
  #events: StoredEvent[] = [];

  constructor(context: DurableObjectState, env: Env, clock: Clock, executor: Executor) {
    const lazy = new LazyWrites(
      clock,
      () => this.core.config.progressIntervalMs,
      () => void this.#unwaited(() => lazy.write(this.core)).then((made) => made || lazy.soon()),
    );
    this.core = buildCore(context, env, clock, () => lazy.soon());
    this.executor = executor;
    this.sessions = this.core.sessions;
    this.listeners = new EventSockets(context, this.core.shard, this.core.events, clock);
    this.controls = new Controls(this.sessions, clock, this.core.config.controlTimeoutMs);
    const parts = {
      core: this.core,
      listeners: this.listeners,
      waiters: this.#waiters,
      runAtEdge: (assignment: Assignment) => context.waitUntil(this.#runAtEdge(assignment)),
      wakeIn: (ms: number) => this.flow.wakeIn(ms),
      borrow: (wishes: readonly Wish[]) => context.waitUntil(this.flow.borrow(wishes)),
    };
    this.#commits = new GroupCommit(clock, {
      transaction: (body) => this.core.database.transaction(body),
      finish: () => (this.#events = concludeCommit(this.core)),
      committed: () => carryOut(parts, this.#events),
      rolledBack: () => restoreCore(this.core),
    });
    this.flow = new FlowControl(
      this.core,
      (work) => this.#commits.run(work),
      (work) => this.#unwaited(work),
    );
    this.submitting = new Submitting(this.core, this.core.submitters, (work, weight) =>
      this.#commits.run(work, weight),
    );
    this.#loseEdgeRuns();
    void this.flow.copySettings();
  }

  submit(
    principal: Principal,
    tasks: readonly NewTask[],
    request?: RequestKey,
    known?: readonly (Submitted | null)[],
  ): Promise<Submitted[]> {
    if (request !== undefined) this.core.keys.expect(principal.sub, requestKey(request.key));
    return this.#commits.run(() => submit(this.core, principal.sub, tasks, request, known), tasks.length);
  }

  get(principal: Principal, id: TaskId): TaskView {
    return viewTask(this.core, principal, id);
  }

  async wait(principal: Principal, id: TaskId, seconds: number): Promise<TaskView> {
    const view = viewTask(this.core, principal, id);
    if (isFinal(view.state) || seconds <= 0) return view;
    await new Promise<void>((resolve) => {
      const forget = this.#waiters.add(id, () => {
        cancel();
        forget();
        resolve();
      });
      const cancel = this.core.clock.setTimer(seconds * 1000, () => {
        forget();
        resolve();
      });
    });
    return viewTask(this.core, principal, id);
  }

  list(principal: Principal, query: TaskQuery): TaskPage {
    return listTasks(this.core, principal, query);
  }

  async revoke(principal: Principal, id: TaskId, terminate: boolean): Promise<TaskView> {
    await this.#commits.run(() => revokeOwn(this.core, principal, id, terminate));
    return viewTask(this.core, principal, id);
  }

  retry(principal: Principal, id: TaskId, request?: RequestKey): Promise<Submitted> {
    return this.#commits.run(() => retryTask(this.core, principal, id, request));
  }

  async revokeMany(
    principal: Principal,
    query: TaskQuery,
    terminate: boolean,
    cursor: string | null,
  ): Promise<BulkRevoked> {
    const all: BulkRevoked = { revoked: 0, next_cursor: cursor };
    for (let steps = 0; steps < maxBulkSteps; steps++) {
      const at = all.next_cursor;
      const step = await this.#commits.run(() => revokeStep(this.core, principal, query, terminate, at));
      all.revoked += step.revoked;
      all.next_cursor = step.next_cursor;
      if (step.next_cursor === null) break;
    }
    return all;
  }

  async retryMany(principal: Principal, query: TaskQuery, cursor: string | null, limit: number): Promise<BulkRetried> {
    const all: BulkRetried = { tasks: [], next_cursor: cursor };
    for (let steps = 0; steps < 2 * maxBulkSteps && all.tasks.length < limit; steps++) {
      const [at, room] = [all.next_cursor, limit - all.tasks.length];
      const step = await this.#commits.run(() => retryStep(this.core, principal, query, at, room));
      all.tasks.push(...step.tasks);
      all.next_cursor = step.next_cursor;
      if (step.next_cursor === null) break;
    }
    return all;
  }

  history(principal: Principal, page: EventPageQuery): EventPage {
    return eventHistory(this.core, principal, page);
  }

  queues(): QueueView[] {
    return viewQueues(this.core);
  }

  workers(): WorkerView[] {
    return viewWorkers(this.core);
  }

  lease(principal: Principal, request: LeaseRequest): Promise<Assignment[]> {
    return this.flow.claim(() => claimOverHttp(this.core, principal, request));
  }

  renew(principal: Principal, id: TaskId, attempt: number): Promise<RenewAnswer> {
    return this.#commits.run(() => {
      renewLease(this.core, overHttp(principal), id, attempt);
      return { lease_ms: this.core.config.leaseMs };
    });
  }

  progress(principal: Principal, id: TaskId, said: { attempt: number; progress: Progress }): Promise<ReportAnswer> {
    return this.#commits.run(() => {
      if (!progress(this.core, overHttp(principal), id, said.attempt, said.progress)) throw leaseLost(id, said.attempt);
      return { status: 'recorded' };
    });
  }

  report(
    principal: Principal,
    ref: AttemptRef,
    outcome: Outcome,
    runtimeMs?: number,
    snapshot?: Snapshot,
  ): Promise<ReportAnswer> {
    const reporter = overHttp(principal);
    return this.#commits.run(() => {
      if (snapshot !== undefined) keepSnapshot(this.core, reporter, ref, snapshot);
      const details = runtimeMs === undefined ? {} : { runtimeMs };
      const status = report(this.core, reporter, ref, outcome, details);
      if (status === 'lease_lost') throw leaseLost(ref.task_id, ref.attempt);
      return { status };
    });
  }

  adopt(principal: Principal, group: string, items: readonly AttemptRef[]): Promise<AttemptRef[]> {
    return this.#commits.run(() => adopt(this.core, overHttp(principal), group, items));
  }

  deliver(sender: ObjectAddress, messages: readonly Envelope[]): Promise<number> {
    return this.#commits.run(() =>
      receive(this.core.outboxStore, sender, messages, (body) => applyMessage(this.core, body)),
    );
  }

  stats(): BrokerStats {
    const { core } = this;
    return {
      shard: core.shard,
      tallies: core.tallies.read(),
      queues: viewQueues(core),
      workers_online: viewWorkers(core).filter((worker) => worker.state === 'online').length,
      event_seq: core.events.seq,
      database_bytes: core.database.sizeBytes,
      rows_written: core.database.rowsWritten,
      rows_read: core.database.rowsRead,
    };
  }

  /** A frame from a worker. Answers when it is committed. */
  async take(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const submitter = this.core.submitters.of(socket);
    if (submitter !== undefined) {
      await this.submitting.take(socket, submitter.principal, message);
      return;
    }
    const principal = this.sessions.principalOf(socket);
    // Listeners of events have nothing to say but heartbeats.
    if (principal === undefined) return;
    try {
      const frame = parseFrame(message);
      await this.#commits.run(() => {
        if (frame.type === 'hello') {
          hello(this.core, socket, principal, frame);
          return;
        }
        const session = this.sessions.bySocket(socket);
        if (session === undefined) throw new TabgridError('handshake_required', 'the first frame must be hello');
        if (frame.type === 'control_reply') this.controls.reply(session.worker.workerId, frame);
        else takeFrame(this.core, session, frame);
      });
    } catch (error) {
      this.#refuse(socket, error);
    }
  }

  #refuse(socket: WebSocket, error: unknown): void {
    const refusal =
      error instanceof TabgridError ? error : new TabgridError('internal', 'the frame could not be processed');
    send(socket, errorFrame(refusal));
    if (refusal.code === 'body_too_large') closeSocket(socket, closeCodes.tooLarge, refusal.code);
    else if (refusal.code === 'forbidden') closeSocket(socket, closeCodes.forbidden, refusal.code);
    else if (this.sessions.bySocket(socket) === undefined) closeSocket(socket, closeCodes.handshake, refusal.code);
  }

  async closed(socket: WebSocket, reason: string): Promise<void> {
    this.listeners.close(socket);
    this.core.submitters.close(socket);
    await this.#commits.run(() => {
      const session = this.sessions.bySocket(socket);
      if (session !== undefined) leave(this.core, session, reason);
    });
  }

  async alarm(): Promise<void> {
    this.core.alarms.fired();
    await this.#commits.run(() => sweep(this.core));
  }

  /** A commit for which nobody waits. Should it fail, leases and alarms see to what it would have done. @returns whether it was made */
  #unwaited(work: () => void): Promise<boolean> {
    return this.#commits.run(work).then(
      () => true,
      (error: unknown) => {
        log('error', 'commit-failed', { error });
        return false;
      },
    );
  }

  async #runAtEdge(assignment: Assignment): Promise<void> {
    const { task_id, attempt } = assignment;
    const begunMs = this.core.clock.now();
    let outcome: Outcome | null = null;
    try {
      outcome = await this.executor(assignment);
    } catch {
      // Whatever became of it: without an outcome the attempt is lost, and the task goes out again.
    }
    await this.#unwaited(() => {
      const runtimeMs = this.core.clock.now() - begunMs;
      if (outcome === null) this.#loseEdgeRun(task_id, attempt);
      else report(this.core, edgeReporter, { task_id, attempt }, outcome, { runtimeMs });
    });
  }

  #loseEdgeRun(id: TaskId, attempt: number): void {
    const lease = this.core.leases.get(id);
    if (lease?.workerId === edgeWorker.id && lease.attempt === attempt) loseLease(this.core, lease);
  }

  /** Calls that were under way when the object was last unmade have nobody to answer to. */
  #loseEdgeRuns(): void {
    const orphans = this.core.leases.of(edgeWorker.id);
    if (orphans.length === 0) return;
    void this.#unwaited(() => {
      for (const { taskId, attempt } of orphans) this.#loseEdgeRun(taskId, attempt);
    });
  }
}

const edgeReporter: Reporter = { sub: edgeWorker.sub, workerId: edgeWorker.id };

function overHttp({ sub }: Principal): Reporter {
  return { sub, workerId: null };
}
