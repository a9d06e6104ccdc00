import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'undici';
import type { Rng } from '#kernels/rng';
import { TabgridError, type Json, type Submitted } from '#protocol';
import { Grid, type AsyncResult, type CampaignSpecInput } from '../../client/sdk/index.ts';
import { resolveOptions } from '../../client/sdk/options.ts';
import { Transport } from '../../client/sdk/transport.ts';
import type { Canvas } from './canvases.ts';
import type { Ledger } from './ledger.ts';
import { essenceOf, type Ending, type Sample } from './samples.ts';

/** Never gives up: whatever is submitted is accepted in the end. */
const retries = 10_000;

type Way = 'socket' | 'http';

interface Custom {
  /** Tasks at a time. */
  readonly count: number;
  readonly submit: (samples: readonly Sample[]) => Promise<void>;
}

/** Submits in every way that there is, and listens to how tasks end. */
export class Submitter {
  /** By how they submit. */
  readonly #grids: { readonly socket: Grid; readonly http: Grid };
  readonly #transport: Transport;
  readonly #ledger: Ledger;
  readonly #rng: Rng;
  readonly #customs: readonly Custom[];
  readonly #unanswered = new Set<Promise<void>>();
  readonly #listening: Promise<void>[] = [];
  #isClosed = false;

  constructor(connection: { url: string; token: string }, ledger: Ledger, rng: Rng) {
    const options = { ...connection, retries, fetch: this.#fetch };
    this.#grids = {
      socket: new Grid({ ...options, WebSocket, heartbeatSeconds: 1 }),
      http: new Grid({ ...options, submitOver: 'http' }),
    };
    this.#transport = new Transport(resolveOptions(options));
    this.#ledger = ledger;
    this.#rng = rng;
    this.#customs = [
      { count: 100, submit: (samples) => this.#bulk('socket', samples) },
      { count: 100, submit: (samples) => this.#bulk('http', samples) },
      { count: 20, submit: (samples) => this.#singly('socket', samples) },
      { count: 20, submit: (samples) => this.#singly('http', samples) },
      { count: 10, submit: (samples) => this.#keyed(samples) },
      { count: 30, submit: (samples) => this.#repeated(samples) },
    ];
  }

  submit(samples: readonly Sample[]): void {
    for (let at = 0; at < samples.length;) {
      const custom = this.#customs[this.#rng.integer(this.#customs.length)];
      const count = 1 + this.#rng.integer(custom?.count ?? 1);
      if (custom !== undefined) this.#follow(custom.submit(samples.slice(at, at + count)));
      at += count;
    }
  }

  /** The same workflow from two submitters, under one key. */
  run(canvas: Canvas, key: string): void {
    for (const grid of Object.values(this.#grids)) {
      const submission = grid.run(canvas.node, { idempotencyKey: key });
      this.#follow(submission.then((result) => this.#ledger.acceptWorkflow(result, canvas, key)));
    }
    this.#ledger.repeats++;
  }

  /** The same campaign from two submitters, under one key. */
  runCampaign(spec: CampaignSpecInput, key: string): void {
    for (const grid of Object.values(this.#grids)) {
      const submission = grid.campaigns.run(spec, { idempotencyKey: key });
      this.#follow(submission.then((campaign) => this.#ledger.acceptCampaign(campaign, key)));
    }
    this.#ledger.repeats++;
  }

  /** Resolves when everything has been accepted; what has not within that time counts as refused. */
  async accepted(withinMs: number): Promise<void> {
    await within(Promise.all(this.#unanswered), withinMs);
    const { size } = this.#unanswered;
    if (size > 0) this.#ledger.refused.push(`${size} submissions were not answered`);
  }

  /** Resolves when the end of each task has been told, or the time is over. */
  async heard(withinMs: number): Promise<void> {
    await within(Promise.all(this.#listening), withinMs);
  }

  /** Gives up what is still waited for. */
  close(): void {
    this.#isClosed = true;
    this.#grids.socket.close();
  }

  readonly #fetch: typeof fetch = async (input, init) => {
    // Whoever never gives up would go on after the end.
    if (this.#isClosed) throw new Error('the run is over');
    return fetch(input, init);
  };

  async #bulk(way: Way, samples: readonly Sample[]): Promise<void> {
    const results = await this.#grids[way].submitAll(samples.map(({ signature }) => signature) as never);
    samples.forEach((sample, at) => this.#accept(results[at], sample, way));
  }

  async #singly(way: Way, samples: readonly Sample[]): Promise<void> {
    const submissions = samples.map(async (sample) => {
      this.#accept(await this.#grids[way].submitSignature(sample.signature), sample, way);
    });
    await Promise.all(submissions);
  }

  /** From two submitters at the same time, under one key each. */
  async #keyed(samples: readonly Sample[]): Promise<void> {
    const submissions = samples.flatMap((sample) => {
      const key = this.#transport.newKey();
      this.#ledger.repeats++;
      return (['socket', 'http'] as const).map(async (way) => {
        const signature = { ...sample.signature, idempotency_key: key };
        this.#accept(await this.#grids[way].submitSignature(signature), sample, way, key);
      });
    });
    await Promise.all(submissions);
  }

  /** One request three times, as a client does that has heard nothing. */
  async #repeated(samples: readonly Sample[]): Promise<void> {
    const key = this.#transport.newKey();
    const call = { method: 'POST', path: '/v1/tasks', json: samples.map(({ signature }) => signature) } as const;
    const requests = [1, 2, 3].map(async () => {
      const { tasks } = await this.#transport.json<{ tasks: Submitted[] }>({ ...call, idempotencyKey: key });
      samples.forEach((sample, at) => {
        const id = tasks[at]?.task_id ?? '';
        this.#accept(this.#grids.http.result(id), sample, 'request', `${key}/${at}`);
      });
    });
    this.#ledger.repeats += 2;
    await Promise.all(requests);
  }

  #accept(result: AsyncResult<unknown> | undefined, sample: Sample, way: string, key?: string): void {
    if (result === undefined) throw new Error('a task without an answer');
    this.#ledger.accept(result, sample, key);
    this.#listening.push(this.#ledger.listen(result.id, way, endingOf(result, sample.signature.task)));
  }

  #follow(submission: Promise<void>): void {
    const answered = submission
      .catch((error: unknown) => {
        this.#ledger.refused.push(String(error));
      })
      .finally(() => this.#unanswered.delete(answered));
    this.#unanswered.add(answered);
  }
}

async function endingOf(result: AsyncResult<unknown>, task: string): Promise<Ending> {
  try {
    return { state: 'SUCCESS', result: essenceOf(task, (await result.get()) as Json) };
  } catch (error) {
    return { state: 'FAILURE', error: error instanceof TabgridError ? error.code : String(error) };
  }
}

/** Resolves with the promise, or when the time is over. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  const over = new AbortController();
  await Promise.race([promise, sleep(ms, undefined, { signal: over.signal })]);
  over.abort();
}
