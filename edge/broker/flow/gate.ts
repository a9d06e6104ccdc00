import { taskOf, type LaneKind } from '../lanes.ts';
import type { Allowance } from './allowance.ts';
import type { FlowScope, FlowSettings } from './settings.ts';

/** A rate that a kind’s tasks begin under. */
interface Limit {
  readonly scope: FlowScope;
  readonly name: string;
}

/** Whether tasks of a kind may begin: pauses and rates of its queue and its task type. */
export class Gate {
  readonly #settings: FlowSettings;
  readonly #allowance: Allowance;
  readonly #isComplete: () => boolean;

  /** @param isComplete false while it is not known what is set: then nothing may begin */
  constructor(settings: FlowSettings, allowance: Allowance, isComplete: () => boolean = () => true) {
    this.#isComplete = isComplete;
    this.#settings = settings;
    this.#allowance = allowance;
  }

  isPaused({ queue }: LaneKind): boolean {
    return !this.#isComplete() || this.#settings.queue(queue).paused;
  }

  /** Until one task of the kind may begin; 0 for now, Infinity where another shard must be asked first. */
  waitMs(kind: LaneKind, nowMs: number): number {
    return Math.max(0, ...this.#limitsOf(kind).map((limit) => this.#allowance.waitMs(limit.scope, limit.name, nowMs)));
  }

  /** There are `count` takers for tasks of the kind, and another shard must be asked for them. */
  wish(kind: LaneKind, count: number): void {
    for (const { scope, name } of this.#limitsOf(kind)) this.#allowance.wish(scope, name, count);
  }

  take(kind: LaneKind, nowMs: number): void {
    for (const { scope, name } of this.#limitsOf(kind)) this.#allowance.take(scope, name, nowMs);
  }

  giveBack(kind: LaneKind): void {
    for (const { scope, name } of this.#limitsOf(kind)) this.#allowance.giveBack(scope, name);
  }

  #limitsOf(kind: LaneKind): Limit[] {
    const limits: Limit[] = [
      { scope: 'queue', name: kind.queue },
      { scope: 'task', name: taskOf(kind) },
    ];
    return limits.filter(({ scope, name }) => this.#settings.pacer(scope, name) !== null);
  }
}
