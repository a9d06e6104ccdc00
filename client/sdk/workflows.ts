import {
  isFinal,
  shardOf,
  TabgridError,
  workflowFolder,
  type CanvasNode,
  type Json,
  type WorkflowId,
  type WorkflowStarted,
  type WorkflowState,
  type WorkflowView,
} from '#protocol';
import type { OutputOf } from './canvas.ts';
import type { EventFilter, EventStream } from './events.ts';
import type { FileStore } from './files.ts';
import type { Transport } from './transport.ts';
import { untilFinal } from './until-final.ts';
import { watch } from './watch.ts';

/** What tells of a workflow itself, and not of each of its tasks. */
const workflowEvents = ['workflow-progress', 'workflow-finished'] as const;

/** A workflow in a list: without its result. */
export type WorkflowSummary = Omit<WorkflowView, 'result'>;

/** The time given to `get` has passed, and the workflow is not final. It goes on. */
export class WorkflowTimeout extends Error {
  override readonly name = 'WorkflowTimeout';
  readonly workflow: WorkflowView;

  constructor(workflow: WorkflowView, seconds: number) {
    super(`workflow ${workflow.workflow_id} is still ${workflow.state} after ${seconds} s`);
    this.workflow = workflow;
  }
}

/** What workflows need of the grid. */
export interface WorkflowParts {
  readonly transport: Transport;
  readonly events: (filter: EventFilter) => EventStream;
  readonly files: FileStore;
}

/** Celery’s canvas: tasks that lead to tasks. */
export class Workflows {
  readonly #parts: WorkflowParts;

  constructor(parts: WorkflowParts) {
    this.#parts = parts;
  }

  /**
   * Starts a workflow: all of it, or nothing. A repeat with the same key is answered with the first one’s workflow.
   * @throws TabgridError `invalid_request`, `unknown_task` or `invalid_arguments` with the path of each fault; `file_not_found`.
   */
  async submit<Part extends CanvasNode>(
    canvas: Part,
    options: { idempotencyKey?: string } = {},
  ): Promise<WorkflowResult<OutputOf<Part>>> {
    const started = await this.#parts.transport.json<WorkflowStarted>({
      method: 'POST',
      path: '/v1/workflows',
      json: canvas,
      idempotencyKey: options.idempotencyKey,
    });
    return this.get<OutputOf<Part>>(started.workflow_id);
  }

  /** A workflow that was started before. Nothing is sent yet. */
  get<Result = unknown>(id: string): WorkflowResult<Result> {
    return new WorkflowResult<Result>(id as WorkflowId, this.#parts);
  }

  /** One’s own workflows, newest first, page after page. */
  async *list(
    filter: { state?: WorkflowState; label?: string } = {},
  ): AsyncGenerator<WorkflowSummary, void, undefined> {
    yield* this.#parts.transport.pages<WorkflowSummary>('/v1/workflows', 'workflows', { ...filter });
  }
}

export interface WaitOptions {
  /** Default: none. */
  timeoutSeconds?: number;
  /** Told of the workflow now and each time it has changed. Needs a WebSocket. */
  onProgress?: (workflow: WorkflowView) => void;
  signal?: AbortSignal;
}

/** A workflow that was started: what will become of it. */
export class WorkflowResult<Result> {
  readonly id: WorkflowId;
  readonly #parts: WorkflowParts;

  constructor(id: WorkflowId, parts: WorkflowParts) {
    this.id = id;
    this.#parts = parts;
  }

  /** The workflow as it is now, or once it is final if that is within `waitSeconds` (at most 60). */
  async view(options: { waitSeconds?: number; signal?: AbortSignal } = {}): Promise<WorkflowView> {
    return await this.#parts.transport.json<WorkflowView>({
      path: `/v1/workflows/${this.id}`,
      query: { wait: options.waitSeconds },
      signal: options.signal,
    });
  }

  /**
   * Waits for the result. What of it is large enough to lie in a file is read from there.
   * @throws TabgridError with the code of the first failure, whose `details` tell the task and the place in the canvas, or `revoked`;
   * WorkflowTimeout.
   */
  async get(options: WaitOptions = {}): Promise<Result> {
    const workflow = await this.settled(options);
    if (workflow.state === 'SUCCESS') return (await this.#whole(workflow.result, options.signal)) as Result;
    const { error } = workflow;
    if (workflow.state === 'REVOKED' || error === null) {
      throw new TabgridError('revoked', `workflow ${this.id} was revoked`);
    }
    const place = error.path === '' ? '' : `${error.path}: `;
    const { task_id, path, traceback } = error;
    throw new TabgridError(error.type, `${place}${error.message}`, {
      details: { task_id, path, ...(traceback === undefined ? {} : { traceback }) },
    });
  }

  /** Waits until the workflow is final, however it ends. @throws WorkflowTimeout */
  async settled(options: WaitOptions = {}): Promise<WorkflowView> {
    const { clock } = this.#parts.transport.options;
    const { timeoutSeconds = Infinity, onProgress, signal } = options;
    const begunMs = clock.now();
    if (onProgress !== undefined) await this.#tell(onProgress, timeoutSeconds, signal);
    return await untilFinal(
      clock,
      timeoutSeconds - (clock.now() - begunMs) / 1000,
      (waitSeconds) => this.view({ waitSeconds, ...(signal && { signal }) }),
      (workflow) => new WorkflowTimeout(workflow, timeoutSeconds),
    );
  }

  /** The workflow as it is now and each time it has changed, the last time when it is over. Needs a WebSocket. */
  async *watch(options: { signal?: AbortSignal } = {}): AsyncGenerator<WorkflowView, void, undefined> {
    const { transport, events } = this.#parts;
    const { signal } = options;
    const { task_id } = await this.view(options);
    yield* watch<WorkflowView>({
      // They are told where the task is that stands for the workflow.
      events: events({ workflowId: this.id, types: workflowEvents, shard: shardOf(task_id) }),
      look: () => this.view(options),
      isOver: ({ state }) => isFinal(state),
      clock: transport.options.clock,
      signal,
    });
  }

  /** Nothing new begins. Without `terminate` attempts that run may end, but no others follow. */
  async revoke(options: { terminate?: boolean } = {}): Promise<WorkflowView> {
    return await this.#parts.transport.json<WorkflowView>({
      method: 'POST',
      path: `/v1/workflows/${this.id}/revoke`,
      json: options,
    });
  }

  /** The workflow as a drawing in the DOT language of Graphviz. */
  async graph(): Promise<string> {
    return await (await this.#parts.transport.send({ path: `/v1/workflows/${this.id}/graph` })).text();
  }

  /** Tells of it until it is over, or the time is. */
  async #tell(
    onProgress: (workflow: WorkflowView) => void,
    timeoutSeconds: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { clock } = this.#parts.transport.options;
    const over = new AbortController();
    const either = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
    if (timeoutSeconds !== Infinity) {
      clock.sleep(timeoutSeconds * 1000, over.signal).then(
        () => over.abort(),
        () => undefined,
      );
    }
    try {
      for await (const workflow of this.watch({ signal: either })) onProgress(workflow);
    } catch (error) {
      if (!either.aborted) throw error;
    } finally {
      over.abort();
    }
    signal?.throwIfAborted();
  }

  /** A result with what lies in files of this workflow in its place. */
  async #whole(result: Json, signal: AbortSignal | undefined): Promise<Json> {
    if (typeof result !== 'object' || result === null) return result;
    if (Array.isArray(result)) return await Promise.all(result.map((part) => this.#whole(part, signal)));
    const names = Object.keys(result);
    const path = result.file;
    const isFile = names.length === 1 && typeof path === 'string' && path.startsWith(`${workflowFolder(this.id)}/`);
    if (isFile) {
      const response = await this.#parts.files.get(path, signal === undefined ? {} : { signal });
      return await this.#whole((await response.json()) as Json, signal);
    }
    return result;
  }
}
