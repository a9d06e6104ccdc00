import type { Clock } from '../lib/clock.ts';
import { addressKey } from '../lib/outbox.ts';
import { taskEvent } from './attempts.ts';
import type { Core } from './core.ts';

/** How often counters are written: a crash may lose so much of them. */
const countersIntervalMs = 5_000;

/**
 * What needn’t be written at once is written a little later, many changes by one row: progress, starts, renewals, counters. A crash loses
 * at most that little.
 */
export class LazyWrites {
  readonly #clock: Clock;
  readonly #intervalMs: () => number;
  readonly #run: () => void;
  #isScheduled = false;
  #countersMs = 0;

  /** @param run makes a commit that calls `write`. */
  constructor(clock: Clock, intervalMs: () => number, run: () => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#run = run;
  }

  /** Something has changed. */
  soon(): void {
    this.#schedule(this.#intervalMs());
  }

  write(core: Core): void {
    tellProgress(core);
    for (const worker of core.leases.stale) core.leases.dirty.add(worker);
    core.leases.stale.clear();
    if (!core.tallies.isDirty && !core.workers.isDirty) return;
    const waitMs = this.#countersMs + countersIntervalMs - this.#clock.now();
    if (waitMs > 0) {
      this.#schedule(waitMs);
      return;
    }
    this.#countersMs = this.#clock.now();
    if (core.tallies.isDirty) core.tallies.flush();
    core.workers.flush();
  }

  #schedule(afterMs: number): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.setTimer(afterMs, () => {
      this.#isScheduled = false;
      this.#run();
    });
  }
}

/** The latest progress of each task, as events and to the tasks’ parents. */
function tellProgress(core: Core): void {
  for (const record of core.tasks.load([...core.progressed.keys()])) {
    const progress = core.progressed.get(record.id);
    if (progress === undefined) continue;
    const worker = core.leases.get(record.id)?.workerId;
    const data = JSON.parse(JSON.stringify(progress)) as typeof progress & Record<string, never>;
    core.events.add(taskEvent(record, 'task-progress', { ...(worker === undefined ? {} : { worker }), data }));
    const { notify, ref } = record.spec;
    if (notify === undefined || record.spec.held) continue;
    const key = addressKey(notify);
    const items = core.effects.progress.get(key) ?? [];
    core.effects.progress.set(key, items);
    items.push({ task_id: record.id, ref: ref ?? '', progress });
  }
  core.progressed.clear();
}
