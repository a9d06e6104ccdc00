import { homeShard } from '../../lib/shards.ts';
import type { FlowScope, FlowSettings } from './settings.ts';

/** A rate of which this shard may use nothing before its home shard allows it. */
export interface Wish {
  readonly scope: FlowScope;
  readonly name: string;
  readonly home: number;
  readonly count: number;
}

/** What a home shard allows: so many starts now, and when to ask again if these are not enough. */
export interface Loan {
  readonly granted: number;
  readonly waitMs: number;
}

interface Borrowed {
  granted: number;
  /** Not to be asked for again before. */
  retryMs: number;
  isAsked: boolean;
}

/** More is not asked for at once. */
const maxLoan = 200;

/**
 * Rates over all shards: each rate has a home shard, which alone keeps its pacer; the others borrow starts of it when they have tasks and
 * takers. What they don’t use at once is lost, so that a rate may be undercut, and is never exceeded.
 */
export class Allowance {
  readonly #settings: FlowSettings;
  readonly #shard: number;
  readonly #shards: readonly number[];
  readonly #borrowed = new Map<string, Borrowed>();
  #wishes: Wish[] = [];

  constructor(settings: FlowSettings, shard: number, shards: number) {
    this.#settings = settings;
    this.#shard = shard;
    this.#shards = Array.from({ length: shards }, (_, each) => each);
  }

  /** Until one may start; Infinity before the home shard has answered. */
  waitMs(scope: FlowScope, name: string, nowMs: number): number {
    if (this.#home(scope, name) === this.#shard) return this.#settings.pacer(scope, name)?.waitMs(nowMs) ?? 0;
    const borrowed = this.#borrowed.get(keyOf(scope, name));
    if (borrowed === undefined) return Infinity;
    if (borrowed.granted > 0) return 0;
    return borrowed.retryMs > nowMs ? borrowed.retryMs - nowMs : Infinity;
  }

  take(scope: FlowScope, name: string, nowMs: number): void {
    if (this.#home(scope, name) === this.#shard) {
      this.#settings.pacer(scope, name)?.take(nowMs);
      this.#settings.moved(scope, name);
      return;
    }
    const borrowed = this.#borrowed.get(keyOf(scope, name));
    if (borrowed !== undefined) borrowed.granted--;
  }

  giveBack(scope: FlowScope, name: string): void {
    if (this.#home(scope, name) === this.#shard) this.#settings.pacer(scope, name)?.giveBack();
    else this.#entry(scope, name).granted++;
  }

  /** There are `count` takers for tasks that wait for this rate alone. */
  wish(scope: FlowScope, name: string, count: number): void {
    const home = this.#home(scope, name);
    const borrowed = this.#entry(scope, name);
    if (home === this.#shard || borrowed.isAsked) return;
    borrowed.isAsked = true;
    this.#wishes.push({ scope, name, home, count: Math.min(count, maxLoan) });
  }

  /** What the home shards are to be asked for now. */
  takeWishes(): Wish[] {
    const wishes = this.#wishes;
    this.#wishes = [];
    return wishes;
  }

  /** At the home shard. */
  lend(scope: FlowScope, name: string, count: number, nowMs: number): Loan {
    const pacer = this.#settings.pacer(scope, name);
    if (pacer === null) return { granted: count, waitMs: 0 };
    let granted = 0;
    for (; granted < Math.min(count, maxLoan) && pacer.waitMs(nowMs) === 0; granted++) pacer.take(nowMs);
    if (granted > 0) this.#settings.moved(scope, name);
    return { granted, waitMs: pacer.waitMs(nowMs) };
  }

  /** The home shard’s answer; null when it could not be reached. */
  receive({ scope, name }: Wish, loan: Loan | null, nowMs: number): void {
    const borrowed = this.#entry(scope, name);
    borrowed.isAsked = false;
    borrowed.granted = loan?.granted ?? 0;
    borrowed.retryMs = nowMs + (loan?.waitMs ?? unreachableRetryMs);
  }

  /** What was not used in the commit that it came with is lost. */
  expire(): void {
    for (const borrowed of this.#borrowed.values()) borrowed.granted = 0;
  }

  #entry(scope: FlowScope, name: string): Borrowed {
    const key = keyOf(scope, name);
    const present = this.#borrowed.get(key);
    if (present !== undefined) return present;
    const made = { granted: 0, retryMs: 0, isAsked: false };
    this.#borrowed.set(key, made);
    return made;
  }

  #home(scope: FlowScope, name: string): number {
    return this.#shards.length === 1 ? this.#shard : homeShard(keyOf(scope, name), this.#shards);
  }
}

const unreachableRetryMs = 1000;

function keyOf(scope: FlowScope, name: string): string {
  return `${scope} ${name}`;
}
