import type { QueuePatch, TaskTypePatch, TaskTypeSettings } from '#protocol';
import { firstIdAt } from '../../lib/ids.ts';
import type { Core } from '../core.ts';
import type { QueueView } from '../rpc.ts';
import type { Loan, Wish } from './allowance.ts';
import { purgeBatch } from './purge.ts';
import { viewQueue } from './queue-views.ts';
import type { FlowScope } from './settings.ts';

/** How long a shard that was added waits before it asks the first one again. */
const copyRetryMs = 1000;

/** Runs work in a commit. */
type Commit = <T>(work: () => T) => Promise<T>;

/** What is set and asked of the flow of tasks at run time, and what wakes those that wait for a rate. */
export class FlowControl {
  readonly #core: Core;
  readonly #commit: Commit;
  readonly #unwaited: (work: () => void) => Promise<unknown>;
  #cancelWake: (() => void) | null = null;
  readonly #borrowing = new Set<Promise<void>>();
  #loans: { wish: Wish; loan: Loan | null }[] = [];

  /** @param unwaited runs work in a commit whose failure nobody hears of */
  constructor(core: Core, commit: Commit, unwaited: (work: () => void) => Promise<unknown>) {
    this.#core = core;
    this.#commit = commit;
    this.#unwaited = unwaited;
  }

  patchQueue(queue: string, patch: QueuePatch): Promise<QueueView> {
    return this.#commit(() => {
      this.#core.flow.patch('queue', queue, patch);
      return viewQueue(this.#core, queue);
    });
  }

  patchTaskType(task: string, patch: TaskTypePatch): Promise<TaskTypeSettings> {
    return this.#commit(() => {
      this.#core.flow.patch('task', task, patch);
      return this.#core.flow.taskType(task);
    });
  }

  taskTypes(): Record<string, TaskTypeSettings> {
    return this.#core.flow.taskTypes();
  }

  async purge(queue: string, scheduled: boolean): Promise<number> {
    const before = firstIdAt(this.#core.shard, this.#core.clock.now() + 1);
    let purged = 0;
    for (let count = 1; count > 0; purged += count) {
      count = await this.#commit(() => purgeBatch(this.#core, queue, { scheduled, before }));
    }
    return purged;
  }

  lend(scope: FlowScope, name: string, count: number): Promise<Loan> {
    return this.#commit(() => this.#core.allowance.lend(scope, name, count, this.#core.clock.now()));
  }

  /** A shard that was added copies what is set in the first, and tries again until it can. Never throws. */
  async copySettings(): Promise<void> {
    const { shard, config, clock, flow, reach } = this.#core;
    if (flow.isComplete(shard, config.shards)) return;
    const rows = await reach.flowRows().catch(() => null);
    if (rows !== null) await this.#unwaited(() => flow.copy(rows, clock.now()));
    if (!flow.isComplete(shard, config.shards)) clock.setTimer(copyRetryMs, () => void this.copySettings());
  }

  /** Tasks wait for a rate: they are given out when it lets them. */
  wakeIn(ms: number): void {
    this.#cancelWake?.();
    this.#cancelWake = this.#core.clock.setTimer(ms, () => {
      this.#cancelWake = null;
      void this.#unwaited(() => undefined);
    });
  }

  async borrow(wishes: readonly Wish[]): Promise<void> {
    for (const wish of wishes) {
      const borrowing = this.#core.reach.borrow(wish).then(
        (loan) => void this.#loans.push({ wish, loan }),
        () => void this.#loans.push({ wish, loan: null }),
      );
      this.#borrowing.add(borrowing);
      void borrowing.finally(() => this.#borrowing.delete(borrowing));
    }
    await Promise.all(this.#borrowing);
    await this.#unwaited(() => this.#receiveLoans());
  }

  /** Runs a claim; if it finds nothing because other shards must be asked, once more when they have answered. */
  async claim<T>(work: () => T[]): Promise<T[]> {
    const found = await this.#commit(work);
    if (found.length > 0 || this.#borrowing.size === 0) return found;
    await Promise.all(this.#borrowing);
    return this.#commit(() => {
      this.#receiveLoans();
      return work();
    });
  }

  #receiveLoans(): void {
    const loans = this.#loans;
    this.#loans = [];
    for (const { wish, loan } of loans) this.#core.allowance.receive(wish, loan, this.#core.clock.now());
  }
}
