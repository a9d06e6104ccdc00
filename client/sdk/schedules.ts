import {
  TabgridError,
  type ScheduleSpecInput,
  type ScheduleSummary,
  type ScheduleView,
  type Submitted,
} from '#protocol';
import type { AsyncResult } from './async-result.ts';
import type { Transport } from './transport.ts';

export interface ScheduleOptions {
  /** Whose; another’s only with an admin’s token. Default: one’s own. */
  owner?: string;
  signal?: AbortSignal;
}

export interface PutScheduleOptions extends ScheduleOptions {
  /** True: only if there is none of this name yet. */
  onlyNew?: boolean;
}

/** The beat: tasks that come again. */
export class Schedules {
  readonly #transport: Transport;
  readonly #result: (id: string) => AsyncResult<unknown>;

  constructor(transport: Transport, result: (id: string) => AsyncResult<unknown>) {
    this.#transport = transport;
    this.#result = result;
  }

  /**
   * Makes a schedule, or replaces the one of that name.
   * @throws TabgridError `invalid_request`, `unknown_task` or `invalid_arguments` with the path of each fault; `precondition_failed`.
   */
  async put(name: string, spec: ScheduleSpecInput, options: PutScheduleOptions = {}): Promise<ScheduleView> {
    const headers: Record<string, string> = options.onlyNew === true ? { 'if-none-match': '*' } : {};
    return await this.#put(name, spec, options, headers);
  }

  /** @throws TabgridError `not_found` */
  async get(name: string, options: ScheduleOptions = {}): Promise<ScheduleView> {
    return await this.#transport.json<ScheduleView>(this.#call(name, options));
  }

  /** Schedules by name, page after page; with an admin’s token everyone’s. */
  async *list(filter: { owner?: string } = {}): AsyncGenerator<ScheduleSummary, void, undefined> {
    yield* this.#transport.pages<ScheduleSummary>('/v1/schedules', 'schedules', { ...filter });
  }

  /** Its tasks go on. @throws TabgridError `not_found` */
  async delete(name: string, options: ScheduleOptions = {}): Promise<void> {
    await this.#transport.send({ ...this.#call(name, options), method: 'DELETE' });
  }

  /** Submits its task now; its ticks come as before. */
  async run(name: string, options: ScheduleOptions = {}): Promise<AsyncResult<unknown>> {
    const call = this.#call(name, options);
    const { task_id: id } = await this.#transport.json<Submitted>({
      ...call,
      path: `${call.path}/run`,
      method: 'POST',
    });
    return this.#result(id);
  }

  /** Nothing comes until `resume`, and what would have come meanwhile is not made up for. */
  async pause(name: string, options: ScheduleOptions = {}): Promise<ScheduleView> {
    return await this.#enable(name, false, options);
  }

  async resume(name: string, options: ScheduleOptions = {}): Promise<ScheduleView> {
    return await this.#enable(name, true, options);
  }

  /** Changes that one member of the version that it has read, again if somebody came between. */
  async #enable(name: string, enabled: boolean, options: ScheduleOptions): Promise<ScheduleView> {
    for (;;) {
      const response = await this.#transport.send(this.#call(name, options));
      const view = (await response.json()) as ScheduleView;
      if (view.enabled === enabled) return view;
      const { schedule, signature, catch_up } = view;
      try {
        const headers = { 'if-match': response.headers.get('etag') ?? '*' };
        return await this.#put(name, { schedule, signature, catch_up, enabled }, options, headers);
      } catch (error) {
        if (!(error instanceof TabgridError) || error.code !== 'precondition_failed') throw error;
      }
    }
  }

  async #put(
    name: string,
    spec: ScheduleSpecInput,
    options: ScheduleOptions,
    headers: Readonly<Record<string, string>>,
  ): Promise<ScheduleView> {
    return await this.#transport.json<ScheduleView>({
      ...this.#call(name, options),
      method: 'PUT',
      json: spec,
      headers,
    });
  }

  #call(name: string, { owner, signal }: ScheduleOptions) {
    return { path: `/v1/schedules/${encodeURIComponent(name)}`, query: { owner }, signal };
  }
}
