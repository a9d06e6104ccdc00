import type { QueuePatch, QueueSettings, TaskTypePatch, TaskTypeSettings } from '#protocol';
import type { Transport } from './transport.ts';

/** A queue: how long it is, and what is set for it. */
export interface QueueView extends QueueSettings {
  queue: string;
  waiting: number;
  scheduled: number;
  running: number;
  /** Seconds since the oldest ready task was submitted; null when none waits. */
  oldest_age: number | null;
}

/** A task type, with the limits that hold now, in seconds. */
export interface TaskTypeView extends Omit<TaskTypeSettings, 'soft_time_limit' | 'time_limit'> {
  name: string;
  summary: string;
  queue: string;
  priority: number;
  runs_on: string[];
  soft_time_limit: number;
  time_limit: number;
  max_retries: number;
}

/** How tasks flow through queues and task types. What changes something needs a token with the scope `admin`. */
export class Flow {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async queues(): Promise<QueueView[]> {
    return (await this.#transport.json<{ queues: QueueView[] }>({ path: '/v1/queues' })).queues;
  }

  /** Pauses a queue or sets its limits; what the patch leaves out stays as it is. */
  async setQueue(queue: string, patch: QueuePatch): Promise<QueueView> {
    return await this.#transport.json<QueueView>({ method: 'PATCH', path: `/v1/queues/${queue}`, json: patch });
  }

  /** Revokes what waits in a queue, with `scheduled` also what waits for its ETA or a retry. @returns how many */
  async purge(queue: string, options: { scheduled?: boolean } = {}): Promise<number> {
    const { purged } = await this.#transport.json<{ purged: number }>({
      method: 'DELETE',
      path: `/v1/queues/${queue}/tasks`,
      query: { scheduled: options.scheduled },
    });
    return purged;
  }

  async taskTypes(): Promise<TaskTypeView[]> {
    return (await this.#transport.json<{ task_types: TaskTypeView[] }>({ path: '/v1/task-types' })).task_types;
  }

  /** Sets limits of a task type over all workers; what the patch leaves out stays as it is. */
  async setTaskType(task: string, patch: TaskTypePatch): Promise<TaskTypeView> {
    return await this.#transport.json<TaskTypeView>({ method: 'PATCH', path: `/v1/task-types/${task}`, json: patch });
  }
}
