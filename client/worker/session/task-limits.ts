import type { Assignment, Json, Rate } from '#protocol';
import { RateLimiter } from './rate.ts';

/** Time limits of one task type; null where the task’s own holds. */
interface TimeLimits {
  readonly softMs: number | null;
  readonly hardMs: number | null;
}

/** What remote control has set for single task types. It holds as long as the worker runs. */
export class TaskLimits {
  readonly #rates = new Map<string, { text: string; limiter: RateLimiter }>();
  readonly #times = new Map<string, TimeLimits>();

  /** @param rate null lifts the limit. */
  setRate(task: string, text: string | null, rate: Rate | null): void {
    if (rate === null || text === null) {
      this.#rates.delete(task);
      return;
    }
    const limiter = new RateLimiter();
    limiter.set(rate);
    this.#rates.set(task, { text, limiter });
  }

  setTimes(task: string, softMs: number | null, hardMs: number | null): void {
    if (softMs === null && hardMs === null) this.#times.delete(task);
    else this.#times.set(task, { softMs, hardMs });
  }

  /** How long a task of this type must wait before it may begin; 0 for not at all. */
  waitMs(task: string, nowMs: number): number {
    return this.#rates.get(task)?.limiter.waitMs(nowMs) ?? 0;
  }

  /** A task of this type begins. */
  began(task: string, nowMs: number): void {
    this.#rates.get(task)?.limiter.take(nowMs);
  }

  /** The assignment under this worker’s limits: they can only be tighter, because the edge goes by the task’s own. */
  bound(assignment: Assignment): Assignment {
    const times = this.#times.get(assignment.task);
    if (times === undefined) return assignment;
    const hardMs = Math.min(assignment.time_limit_ms, times.hardMs ?? Infinity);
    const softMs = Math.min(assignment.soft_time_limit_ms, times.softMs ?? Infinity, hardMs);
    return { ...assignment, soft_time_limit_ms: softMs, time_limit_ms: hardMs };
  }

  /** By task type, as `stats` tells them. */
  figures(): Record<string, Json> {
    const tasks = new Set([...this.#rates.keys(), ...this.#times.keys()]);
    const seconds = (ms: number | null | undefined): number | null =>
      ms === null || ms === undefined ? null : ms / 1000;
    return Object.fromEntries(
      [...tasks].map((task) => {
        const times = this.#times.get(task);
        const rate = this.#rates.get(task)?.text ?? null;
        return [
          task,
          { rate_limit: rate, soft_time_limit: seconds(times?.softMs), time_limit: seconds(times?.hardMs) },
        ];
      }),
    );
  }
}
