import { TabgridError } from '#protocol';
import { delay, type Clock } from '../../client/worker/index.ts';
import type { Log } from '../log.ts';
import type { Component, Started } from './component.ts';
import type { WorkerContext } from './context.ts';
import { startOrder } from './graph.ts';

const defaultStopWithinMs = 10_000;

interface Running extends Started {
  readonly component: Component;
}

/** Starts the components of one worker in their order, and stops them in the reverse one. */
export class Lifecycle {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #running: Running[] = [];
  readonly #parts = new Map<string, unknown>();
  #isLeaving = false;

  constructor(options: { clock: Clock; log: Log }) {
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /**
   * Starts all, one after the other. If one fails, those that have started are stopped.
   * @throws TabgridError as the component did, or `invalid_request` with its name for any other error, and for an order that there cannot be.
   */
  async start(components: readonly Component[], worker: WorkerContext): Promise<void> {
    for (const component of startOrder(components)) {
      try {
        const required = (component.requires ?? []).map((name) => [name, this.#parts.get(name)] as const);
        const started = (await component.start(worker, Object.fromEntries(required))) ?? {};
        this.#running.push({ ...bound(started), component });
        this.#parts.set(component.name, started.value);
      } catch (error) {
        this.#log(`The component ${component.name} did not start.`);
        await this.stop(AbortSignal.abort());
        throw error instanceof TabgridError ? error : failureOf(component, error);
      }
    }
  }

  /** The worker begins to leave. Repeating it changes nothing. */
  takeNoMore(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    for (const { component, takeNoMore } of this.#running.toReversed()) {
      try {
        takeNoMore?.();
      } catch (error) {
        this.#log(failureOf(component, error).message);
      }
    }
  }

  /** Stops every component, whatever the others do. Never rejects; faults are told. */
  async stop(hurry: AbortSignal): Promise<void> {
    this.takeNoMore();
    for (let running = this.#running.pop(); running; running = this.#running.pop()) await this.#stop(running, hurry);
  }

  async #stop({ component, stop }: Running, hurry: AbortSignal): Promise<void> {
    if (stop === undefined) return;
    const { stopWithinMs: withinMs = defaultStopWithinMs } = component;
    const stopped = Promise.resolve()
      .then(() => stop(hurry))
      .catch((error: unknown) => this.#log(failureOf(component, error).message))
      .then(() => true);
    if (withinMs === null && (await Promise.race([stopped, abortOf(hurry)]))) return;
    const over = new AbortController();
    const late = delay(this.#clock, withinMs ?? defaultStopWithinMs, over.signal).then(() => false);
    if (!(await Promise.race([stopped, late]))) {
      this.#log(`The component ${component.name} did not stop in time; the others are stopped without it.`);
    }
    over.abort();
  }
}

/** Methods of a user’s object keep their `this`. */
function bound(started: Started): Started {
  return {
    ...(started.takeNoMore ? { takeNoMore: () => started.takeNoMore?.() } : {}),
    ...(started.stop ? { stop: (hurry) => started.stop?.(hurry) } : {}),
  };
}

function abortOf(signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(false);
    else signal.addEventListener('abort', () => resolve(false), { once: true });
  });
}

function failureOf({ name }: Component, cause: unknown): TabgridError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new TabgridError('invalid_request', `The component ${name}: ${message}`, {
    details: { component: name },
    cause,
  });
}
