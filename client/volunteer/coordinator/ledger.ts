import type { Assignment, AttemptRef, Outcome, Progress } from '#protocol';
import { restingStatus, type FinishedTask, type RunningTask, type WorkStatus } from '../work-status.ts';

/** How long a finished task is remembered for the picture, in ms. */
const recentMs = 200_000;
/** A tab that runs thousands of tiny tasks shows the newest. */
const maxRecent = 600;

/** Who computes what on which core, and what came of it. */
export class Ledger {
  readonly #cores: (RunningTask | null)[] = [];
  #recent: FinishedTask[] = [];
  readonly #totals = { ...restingStatus.totals };

  view(): Pick<WorkStatus, 'cores' | 'recent' | 'totals'> {
    return { cores: [...this.#cores], recent: [...this.#recent], totals: { ...this.#totals } };
  }

  /** The attempt takes the first core that is free. */
  begin(assignment: Assignment, nowMs: number): void {
    const free = this.#cores.indexOf(null);
    this.#cores[free < 0 ? this.#cores.length : free] = {
      taskId: assignment.task_id,
      attempt: assignment.attempt,
      task: assignment.task,
      startedAtMs: nowMs,
      progress: null,
    };
  }

  progress(ref: AttemptRef, progress: Progress): void {
    const core = this.#coreOf(ref);
    const running = this.#cores[core];
    if (running) this.#cores[core] = { ...running, progress };
  }

  end(ref: AttemptRef, outcome: Outcome['type'], runtimeMs: number, nowMs: number): void {
    const core = this.#coreOf(ref);
    const running = this.#cores[core];
    if (!running) return;
    this.#cores[core] = null;
    while (this.#cores.at(-1) === null) this.#cores.pop();
    const { taskId, task, startedAtMs } = running;
    this.#recent = this.#recent.filter(({ endedAtMs }) => endedAtMs > nowMs - recentMs).slice(1 - maxRecent);
    this.#recent.push({ taskId, core, task, startedAtMs, endedAtMs: nowMs, outcome });
    this.#totals.computedMs += runtimeMs;
    if (outcome === 'success') this.#totals.succeeded++;
    if (outcome === 'failure') this.#totals.failed++;
    if (outcome === 'released') this.#totals.returned++;
  }

  /** The session is over: what was still on a core has been given back. */
  clear(nowMs: number): void {
    for (const task of [...this.#cores]) {
      if (task === null) continue;
      this.end({ task_id: task.taskId, attempt: task.attempt }, 'released', nowMs - task.startedAtMs, nowMs);
    }
  }

  #coreOf(ref: AttemptRef): number {
    return this.#cores.findIndex((task) => task?.taskId === ref.task_id && task.attempt === ref.attempt);
  }
}
