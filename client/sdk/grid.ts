import type { KwargsInput, Result, SubmittableTask } from '#catalog';
import type {
  CanvasNode,
  ControlCommand,
  ErrorCode,
  GridEvent,
  InspectView,
  Json,
  JsonObject,
  Signature,
  Submitted,
  TaskId,
  TaskState,
  TaskView,
  WorkerView,
} from '#protocol';
import { AsyncResult } from './async-result.ts';
import { Campaigns } from './campaigns.ts';
import type { OutputOf } from './canvas.ts';
import { EventStream, eventQuery, type EventFilter } from './events.ts';
import { FileStore } from './files.ts';
import { Flow, type QueueView } from './flow.ts';
import { resolveOptions, type GridOptions } from './options.ts';
import { Schedules } from './schedules.ts';
import { signature, type SubmitOptions } from './signature.ts';
import { SocketUnusable, Submission } from './submission.ts';
import { Transport } from './transport.ts';
import { Workflows, type WorkflowResult } from './workflows.ts';

/** What narrows a list of tasks. */
export interface TaskFilter {
  state?: TaskState | readonly TaskState[];
  task?: string;
  queue?: string;
  worker?: string;
  label?: string;
  /** The code of its error. */
  error?: ErrorCode;
  campaignId?: string;
  workflowId?: string;
  /** Submitted at or after. */
  since?: Date;
  /** Submitted before. */
  until?: Date;
}

/** A new task that stands for a dead one. */
export interface RetriedTask extends Submitted {
  retry_of: TaskId;
}

function filterQuery({ campaignId, workflowId, since, until, state, ...rest }: TaskFilter) {
  return {
    ...rest,
    state: state === undefined ? undefined : [state].flat(),
    campaign_id: campaignId,
    workflow_id: workflowId,
    since: since?.toISOString(),
    until: until?.toISOString(),
  };
}

/** Which workers are asked, and for how long. */
export interface AskOptions {
  /** Ids or names, in which `*` stands for anything. Default: all that are connected. */
  workers?: readonly string[];
  /** At most 60. Default: the edge’s `controlTimeoutMs`. */
  timeoutSeconds?: number;
}

/** What workers answer. */
export interface Answers {
  /** `worker_id` and `name` are null for tasks that no worker has. `error`: why it does not do it. */
  replies: { worker_id: string | null; name: string | null; reply?: Json; error?: string }[];
  /** Ids of connected workers that did not answer in time. */
  silent: string[];
  /** What was asked for and is no worker. */
  unknown: string[];
}

/** The event log of one Broker shard: what it remembers, by sequence numbers. */
export interface EventPosition {
  shard: number;
  oldest_seq: number;
  newest_seq: number;
}

/**
 * A grid, from outside: submit tasks, run campaigns, store files, watch.
 *
 * Every method throws `TabgridError`, with a code of the closed list, for what the edge refuses, and `TypeError` where it cannot be reached.
 */
export class Grid {
  readonly campaigns: Campaigns;
  readonly files: FileStore;
  readonly flow: Flow;
  readonly schedules: Schedules;
  readonly workflows: Workflows;
  readonly #transport: Transport;
  readonly #submission: Submission;

  constructor(options: GridOptions) {
    this.#transport = new Transport(resolveOptions(options));
    this.#submission = new Submission(this.#transport);
    this.campaigns = new Campaigns(this.#transport, (filter) => this.events(filter));
    this.files = new FileStore(this.#transport);
    this.flow = new Flow(this.#transport);
    this.schedules = new Schedules(this.#transport, (id) => this.result(id));
    this.workflows = new Workflows({
      transport: this.#transport,
      events: (filter) => this.events(filter),
      files: this.files,
    });
  }

  /** Submits a task; its arguments and its result have the types that the catalogue declares. */
  async submit<Name extends SubmittableTask>(
    task: Name,
    kwargs: KwargsInput<Name>,
    options: SubmitOptions = {},
  ): Promise<AsyncResult<Result<Name>>> {
    const [id] = await this.#submit([signature(task, kwargs, options)]);
    return this.#watched<Result<Name>>(id);
  }

  /** Submits up to 1,000 tasks at once: all of them, or none if one does not fit. */
  async submitAll<Name extends SubmittableTask>(
    signatures: readonly (Signature & { task: Name })[],
  ): Promise<AsyncResult<Result<Name>>[]> {
    return (await this.#submit([...signatures])).map((id) => this.#watched<Result<Name>>(id));
  }

  /** Submits a task whose type is known only at run time. The edge checks its arguments. */
  async submitSignature(signature: Signature): Promise<AsyncResult<unknown>> {
    const [id] = await this.#submit([signature]);
    return this.#watched(id);
  }

  /** Over the socket, or where there is none by a request; under one key, so that it makes no difference if both are tried. */
  async #submit(signatures: Signature[]): Promise<TaskId[]> {
    const key = this.#transport.newKey();
    if (this.#submission.isUsable && signatures.length > 0) {
      try {
        return (await this.#submission.submit(signatures, key)).map((submitted) => submitted.task_id);
      } catch (error) {
        if (!(error instanceof SocketUnusable)) throw error;
      }
    }
    const call = { method: 'POST', path: '/v1/tasks', idempotencyKey: key } as const;
    const [only] = signatures;
    if (signatures.length === 1) {
      return [(await this.#transport.json<Submitted>({ ...call, json: only })).task_id];
    }
    const { tasks } = await this.#transport.json<{ tasks: Submitted[] }>({ ...call, json: signatures });
    return tasks.map((submitted) => submitted.task_id);
  }

  #watched<Value>(id: TaskId | undefined): AsyncResult<Value> {
    if (id === undefined) throw new Error('a submission without an answer');
    return new AsyncResult<Value>(id, this.#transport, (filter) => this.events(filter), this.#submission);
  }

  /** Closes what is open. What waits is rejected; what was submitted goes on. */
  close(): void {
    this.#submission.close();
  }

  /** Starts a workflow: `workflows.submit`. */
  async run<Part extends CanvasNode>(
    canvas: Part,
    options: { idempotencyKey?: string } = {},
  ): Promise<WorkflowResult<OutputOf<Part>>> {
    return await this.workflows.submit(canvas, options);
  }

  /** A task that was submitted before. Nothing is sent yet. */
  result<Value>(id: string): AsyncResult<Value> {
    return new AsyncResult<Value>(id as TaskId, this.#transport, (filter) => this.events(filter));
  }

  /** Tasks, newest first unless `order` says otherwise, page after page. */
  async *tasks(filter: TaskFilter & { order?: 'newest' | 'oldest' } = {}): AsyncGenerator<TaskView, void, undefined> {
    const { state, ...query } = filterQuery(filter);
    yield* this.#transport.pages<TaskView>('/v1/tasks', 'tasks', { ...query, state: state?.join(',') });
  }

  /**
   * Revokes all tasks that the filter describes and that were submitted before. @returns how many are revoked, or get no further attempt,
   * because of it.
   */
  async revokeAll(filter: TaskFilter, options: { terminate?: boolean } = {}): Promise<number> {
    let revoked = 0;
    let cursor: string | undefined;
    do {
      const page = await this.#transport.json<{ revoked: number; next_cursor: string | null }>({
        method: 'POST',
        path: '/v1/tasks/revoke',
        json: { ...filterQuery(filter), ...options, cursor },
      });
      revoked += page.revoked;
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return revoked;
  }

  /** Runs the dead tasks that the filter describes again, each once, however often it is asked. Yields the new tasks. */
  async *retryAll(filter: TaskFilter): AsyncGenerator<RetriedTask, void, undefined> {
    let cursor: string | undefined;
    do {
      const page = await this.#transport.json<{ tasks: RetriedTask[]; next_cursor: string | null }>({
        method: 'POST',
        path: '/v1/tasks/retry',
        json: { ...filterQuery(filter), cursor },
      });
      yield* page.tasks;
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
  }

  /** What happens from now on. Needs a WebSocket. */
  events(filter: EventFilter = {}): EventStream {
    return new EventStream(this.#transport, filter);
  }

  /** What the edge still remembers of what has happened, oldest first, page after page. */
  async *eventHistory(filter: EventFilter & { since?: Date } = {}): AsyncGenerator<GridEvent, void, undefined> {
    const query = { ...eventQuery(filter), since: filter.since?.toISOString(), limit: 1000 };
    yield* this.#transport.pages<GridEvent>('/v1/events/history', 'events', query);
  }

  /** Where the event log of each Broker shard is now. */
  async eventPositions(): Promise<EventPosition[]> {
    const query = { limit: 0 };
    return (await this.#transport.json<{ positions: EventPosition[] }>({ path: '/v1/events/history', query }))
      .positions;
  }

  /** Celery’s `inspect`: asks workers, or tells what the broker knows of them. @param options with `ids`: of the view `query_task` */
  async inspect(view: InspectView, options: AskOptions & { ids?: readonly string[] } = {}): Promise<Answers> {
    const { workers, timeoutSeconds: timeout, ids } = options;
    const query = { worker: workers?.join(','), ids: ids?.join(','), timeout };
    return await this.#transport.json<Answers>({ path: `/v1/inspect/${view}`, query });
  }

  /** Celery’s `control`: asks workers for something. Needs the scope `admin`. */
  async control(command: ControlCommand, args: JsonObject = {}, options: AskOptions = {}): Promise<Answers> {
    const { workers, timeoutSeconds: timeout } = options;
    return await this.#transport.json<Answers>({
      method: 'POST',
      path: `/v1/control/${command}`,
      json: { workers, timeout, arguments: args },
    });
  }

  async workers(): Promise<WorkerView[]> {
    return (await this.#transport.json<{ workers: WorkerView[] }>({ path: '/v1/workers' })).workers;
  }

  async queues(): Promise<QueueView[]> {
    return await this.flow.queues();
  }

  /** Any other route of the API, as JSON. */
  async request<Answer>(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    json?: unknown,
  ): Promise<Answer> {
    return await this.#transport.json<Answer>({ method, path, json });
  }
}
