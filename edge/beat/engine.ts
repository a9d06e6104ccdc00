import { TabgridError } from '#protocol';
import { loadConfig, type EdgeConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { Alarms } from '../lib/alarms.ts';
import type { Clock } from '../lib/clock.ts';
import { carryFrom } from '../lib/delivery.ts';
import { SortableIds } from '../lib/ids.ts';
import { log } from '../lib/log.ts';
import { migrate } from '../lib/migrate.ts';
import { Outbox } from '../lib/outbox.ts';
import { SqlOutboxStore } from '../lib/outbox-store.ts';
import { Database } from '../lib/sql.ts';
import { dueTicks } from './core/due.ts';
import { timingOf } from './core/timing.ts';
import { beatAddress } from './rpc.ts';
import { beatMigrations } from './schema.ts';
import { BeatStore, type Run, type StoredSchedule } from './store.ts';
import { scheduledWork, type Work } from './work.ts';

/** Schedules of one transaction, so that nobody waits long at midnight. */
const batchCount = 100;

/**
 * What makes schedules tick. The transaction that fires a tick writes its task into the outbox and moves the schedule on, so that an object
 * that dies has done both or neither; the outbox does the rest. Memory holds nothing that matters.
 */
export class BeatEngine {
  readonly clock: Clock;
  readonly config: EdgeConfig;
  readonly ids: SortableIds;
  readonly store: BeatStore;
  readonly outbox: Outbox<Work['message']>;
  readonly #context: DurableObjectState;
  readonly #database: Database;
  readonly #alarms: Alarms<'tick' | 'outbox'>;

  constructor(context: DurableObjectState, env: Env, clock: Clock) {
    this.#context = context;
    this.clock = clock;
    this.config = loadConfig(env);
    this.ids = new SortableIds(clock);
    this.#database = new Database(context.storage);
    migrate(this.#database, beatMigrations);
    this.store = new BeatStore(this.#database);
    const outboxStore = new SqlOutboxStore(this.#database);
    this.#alarms = new Alarms(this.#database, context.storage, clock);
    this.outbox = new Outbox<Work['message']>({
      store: outboxStore,
      clock,
      carry: carryFrom(env, beatAddress),
      wakeBy: (dueMs) => this.#alarms.setBy('outbox', dueMs),
      arm: () => this.#alarms.arm(),
    });
    // What waits follows from the rows, whatever became of the alarms.
    this.#wind();
    if (outboxStore.targets().length > 0) this.#alarms.setBy('outbox', clock.now());
    this.#alarms.verify();
  }

  /** Fires what is due and sends what waits. */
  async alarm(): Promise<void> {
    this.#alarms.fired();
    while (this.store.due(this.clock.now(), 1).length > 0) {
      this.commit(() => {
        const nowMs = this.clock.now();
        for (const schedule of this.store.due(nowMs, batchCount)) this.fire(schedule, nowMs);
      });
    }
    this.#alarms.take(this.clock.now());
    await this.outbox.flush();
    // What has not got through has set its due time anew.
    this.#alarms.arm();
  }

  /** Submits the ticks that have come and moves the schedule on. Within a transaction. */
  fire(schedule: StoredSchedule, nowMs: number): void {
    if (schedule.nextMs === null || schedule.nextMs > nowMs) return;
    this.store.ran(schedule, this.#runOf(schedule, schedule.nextMs, nowMs));
  }

  /** Within a transaction. */
  send({ target, message }: Work): void {
    this.outbox.send(target, message);
  }

  /** Runs `body` as one transaction, sets the alarm and sends what there is to send. What throws leaves everything as it was. */
  commit<T>(body: () => T, then: (value: T) => void = () => undefined): T {
    try {
      const result = this.#database.transaction(() => {
        const value = body();
        then(value);
        this.#wind();
        return value;
      });
      this.#alarms.arm();
      this.#context.waitUntil(this.outbox.flush());
      return result;
    } catch (error) {
      this.#alarms.reload();
      throw error;
    }
  }

  #runOf(schedule: StoredSchedule, dueMs: number, nowMs: number): Run {
    // Until it is known when the next one comes, none does: what throws must not be tried for ever.
    let run: Run = { ...schedule, nextMs: null };
    try {
      const timing = timingOf(schedule.spec.schedule, schedule.anchorMs);
      const ticks = dueTicks(timing, dueMs, nowMs, schedule.spec.catch_up);
      run = { ...run, nextMs: timing.next(nowMs) };
      for (const tickMs of ticks) {
        const work = scheduledWork(schedule, { tickMs }, nowMs, this.config);
        this.send(work);
        const totalRuns = run.totalRuns + 1;
        run = { ...run, lastRunMs: nowMs, totalRuns, lastTaskId: work.taskId, lastError: null };
      }
      return run;
    } catch (error) {
      // Others must go on: what a new version refuses is told, and tried again with the next tick.
      if (!(error instanceof TabgridError)) log('error', 'schedule-failed', { schedule: schedule.id, error });
      const lastError =
        error instanceof TabgridError ? error.message : 'Something went wrong in Tabgrid; the log has the details.';
      return { ...run, lastError };
    }
  }

  /** Sets the alarm for the next tick of all. */
  #wind(): void {
    const nextMs = this.store.nextMs();
    if (nextMs === null) this.#alarms.clear('tick');
    else this.#alarms.set('tick', nextMs);
  }
}
