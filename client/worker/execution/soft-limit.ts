import { TabgridError } from '#protocol';
import type { Clock } from '../lib/clock.ts';

/** The soft time limit of an attempt. Its signal and its timer are made when a body asks for them, since most never do. */
export class SoftLimit {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #begunMs: number;
  #controller: AbortController | null = null;
  #cancel: (() => void) | null = null;
  #isOver = false;

  constructor(clock: Clock, limitMs: number, begunMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#begunMs = begunMs;
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#begin();
    return this.#controller.signal;
  }

  /** The attempt is over: nobody is to be told. */
  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
  }

  #begin(): AbortController {
    const controller = new AbortController();
    if (this.#isOver) return controller;
    const expire = () => {
      const message = `The soft time limit of ${this.#limitMs / 1000} s is over.`;
      controller.abort(new TabgridError('soft_time_limit_exceeded', message));
    };
    const passedMs = this.#clock.now() - this.#begunMs;
    if (passedMs >= this.#limitMs) expire();
    else this.#cancel = this.#clock.setTimer(this.#limitMs - Math.max(0, passedMs), expire);
    return controller;
  }
}
