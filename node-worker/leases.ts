import { TabgridError, type AttemptRef, type Json, type Progress } from '#protocol';
import { errorOf } from '../client/worker/index.ts';

/** What the edge made of a report. */
export type ReportAnswer =
  /** It counts, now or before. */
  | { type: 'recorded' }
  /** Somebody else has the task, it is final, or it is unknown: nothing more is to be said about it. */
  | { type: 'lost' }
  /** Not now: the edge is away, busy, or does not accept the token. */
  | { type: 'later'; error: TabgridError }
  /** Never: the edge does not take this report. */
  | { type: 'refused'; error: TabgridError };

const laterCodes: readonly string[] = ['unauthorized', 'token_expired', 'forbidden', 'rate_limited'];

/** How long one request may take. */
const requestLimitMs = 60_000;

/** Reports about attempts over `POST /v1/leases/:id/…`. Repeats are harmless. */
export class LeaseClient {
  readonly #url: string;
  readonly #token: string;
  readonly #fetch: typeof fetch;
  readonly #stop = new AbortController();

  constructor(options: { url: string; token: string; fetch: typeof fetch }) {
    this.#url = options.url;
    this.#token = options.token;
    this.#fetch = options.fetch;
  }

  progress(ref: AttemptRef, progress: Progress): Promise<ReportAnswer> {
    return this.#post(ref, 'progress', { progress: progress as Json });
  }

  result(ref: AttemptRef, result: Json): Promise<ReportAnswer> {
    return this.#post(ref, 'result', { result });
  }

  failure(ref: AttemptRef, error: TabgridError): Promise<ReportAnswer> {
    return this.#post(ref, 'failure', { error: { type: error.code, message: error.message }, retryable: false });
  }

  /** Requests under way end as if the edge were away. */
  close(): void {
    this.#stop.abort();
  }

  async #post(ref: AttemptRef, verb: string, body: Record<string, Json>): Promise<ReportAnswer> {
    const address = new URL(`/v1/leases/${ref.task_id}/${verb}`, this.#url);
    let response: Response;
    try {
      response = await this.#fetch(address, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ attempt: ref.attempt, ...body }),
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(requestLimitMs)]),
      });
    } catch (cause) {
      const message = `The edge cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`;
      return { type: 'later', error: new TabgridError('unavailable', message, { cause }) };
    }
    return answerOf(response);
  }
}

async function answerOf(response: Response): Promise<ReportAnswer> {
  const error = await errorOf(response);
  if (response.ok) {
    await response.body?.cancel();
    return { type: 'recorded' };
  }
  if (error?.code === 'lease_lost' || error?.code === 'not_found') return { type: 'lost' };
  const known = error ?? new TabgridError('unavailable', `The edge answered ${response.status}.`);
  const isLater = response.status >= 500 || laterCodes.includes(known.code) || error === null;
  return { type: isLater ? 'later' : 'refused', error: known };
}
