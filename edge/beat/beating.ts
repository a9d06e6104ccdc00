import { canonicalJson, invalidRequest, limits, TabgridError, type ScheduleSpec, type Submitted } from '#protocol';
import { checkPreconditions, type Preconditions } from '../files/preconditions.ts';
import { readCursor, writeCursor } from '../lib/cursor.ts';
import { refusalAt } from '../tasks/prepare.ts';
import { timetableFaults } from './core/check.ts';
import { timingOf } from './core/timing.ts';
import type { BeatEngine } from './engine.ts';
import type { BeatApi, SchedulePage, Versioned } from './rpc.ts';
import type { StoredSchedule } from './store.ts';
import { scheduledWork } from './work.ts';
import { summaryOf, versionOf, viewOf } from './views.ts';

/** How long answers to a repeated request are kept. */
const requestRetentionMs = 24 * 3_600_000;

type RunRequest = Parameters<BeatApi['run']>[2];

/** What can be asked of the beat. Refusals are thrown as `TabgridError`s. */
export class Beating {
  readonly #engine: BeatEngine;

  constructor(engine: BeatEngine) {
    this.#engine = engine;
  }

  put(owner: string, name: string, spec: ScheduleSpec, preconditions: Preconditions): Versioned & { created: boolean } {
    const { store, clock, ids } = this.#engine;
    const nowMs = clock.now();
    const present = store.find(owner, name);
    checkPreconditions(preconditions, present === null ? null : versionOf(present.spec));
    if (present === null && store.count(owner) >= limits.maxSchedules) {
      throw new TabgridError('conflict', `one owner has at most ${limits.maxSchedules} schedules`, {
        details: { limit: limits.maxSchedules },
      });
    }
    const isSameTime = present !== null && canonicalJson(present.spec.schedule) === canonicalJson(spec.schedule);
    this.#check(owner, name, spec, isSameTime);
    const anchorMs = isSameTime ? present.anchorMs : nowMs;
    const next = {
      owner,
      name,
      spec,
      anchorMs,
      nextMs: spec.enabled ? timingOf(spec.schedule, anchorMs).next(nowMs) : null,
      lastError: null,
      updatedMs: nowMs,
    };
    const stored = this.#engine.commit((): StoredSchedule => {
      if (present === null) {
        const made = { id: ids.next(), createdMs: nowMs, lastRunMs: null, totalRuns: 0, lastTaskId: null };
        return { ...next, ...made };
      }
      if (spec.enabled) this.#engine.fire(present, nowMs);
      return { ...(store.find(owner, name) ?? present), ...next };
    }, store.put.bind(store));
    return { ...viewOf(stored), created: present === null };
  }

  find(owner: string, name: string): Versioned {
    return viewOf(this.#required(owner, name));
  }

  list(owner: string | null, { limit, cursor }: { limit: number; cursor: string | null }): SchedulePage {
    const [afterOwner, afterName] = cursor === null ? ['', ''] : readCursor(cursor, isPlace);
    const found = this.#engine.store.list(owner, { owner: afterOwner, name: afterName }, limit + 1);
    const last = found.length > limit ? found[limit - 1] : undefined;
    return {
      schedules: found.slice(0, limit).map(summaryOf),
      next_cursor: last === undefined ? null : writeCursor([last.owner, last.name]),
    };
  }

  remove(owner: string, name: string, preconditions: Preconditions): null {
    checkPreconditions(preconditions, versionOf(this.#required(owner, name).spec));
    return this.#engine.commit(() => {
      this.#engine.store.remove(owner, name);
      return null;
    });
  }

  /** The answer comes when the Broker has the task, or as soon as it cannot be reached: then it gets it later. */
  async run(owner: string, name: string, request: RunRequest): Promise<Submitted> {
    const { store, clock, ids, config, outbox } = this.#engine;
    const stored = this.#required(owner, name);
    const before = request === null ? null : store.answered<Submitted>(request.sub, request.key);
    if (before !== null) {
      if (before.digest === request?.bodyDigest) return before.answer;
      throw new TabgridError('idempotency_conflict', 'this Idempotency-Key was used with another body');
    }
    const nowMs = clock.now();
    const work = scheduledWork(stored, { key: ids.next(), nowMs }, nowMs, config);
    const answer: Submitted = { task_id: work.taskId, state: 'PENDING', queue: work.queue };
    this.#engine.commit(() => {
      this.#engine.send(work);
      store.ran(stored, { ...stored, lastRunMs: nowMs, totalRuns: stored.totalRuns + 1, lastTaskId: work.taskId });
      if (request === null) return;
      const { sub, key, bodyDigest: digest } = request;
      store.keepAnswer({ owner: sub, key, digest }, answer, nowMs, nowMs - requestRetentionMs);
    });
    await outbox.flush();
    return answer;
  }

  /** @throws TabgridError with the path of each fault. */
  #check(owner: string, name: string, spec: ScheduleSpec, isSameTime: boolean): void {
    const { clock, config } = this.#engine;
    const nowMs = clock.now();
    // A time that has come does not come again; putting the same once more is no fault.
    const faults = isSameTime ? [] : timetableFaults(spec.schedule, nowMs);
    if (faults.length > 0) {
      throw invalidRequest(...faults.map(({ path, message }) => ({ path: `schedule.${path}`, message })));
    }
    try {
      scheduledWork({ owner, name, id: '', spec }, { tickMs: nowMs }, nowMs, config);
    } catch (error) {
      throw error instanceof TabgridError ? refusalAt('signature', error) : error;
    }
  }

  #required(owner: string, name: string): StoredSchedule {
    const stored = this.#engine.store.find(owner, name);
    if (stored === null) throw new TabgridError('not_found', `there is no schedule ${name}`);
    return stored;
  }
}

/** The schedule that a page ends with. */
type Place = [owner: string, name: string];

function isPlace(value: unknown): value is Place {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}
