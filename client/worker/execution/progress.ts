import type { Progress } from '#protocol';
import type { Clock } from '../lib/clock.ts';

const maxMessageChars = 1000;
const maxDetailChars = 16_384;

/** Passes progress on at most once per interval; the newest of a burst is told when the interval ends. */
export class ProgressThrottle {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #say: (progress: Progress) => void;
  #waiting: Progress | null = null;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, intervalMs: number, say: (progress: Progress) => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#say = say;
  }

  report(progress: Progress): void {
    const fitting = fit(progress);
    if (this.#cancel) {
      this.#waiting = fitting;
      return;
    }
    this.#say(fitting);
    this.#rest();
  }

  /** Nothing is told any more: the end of the task says it all. */
  stop(): void {
    this.#cancel?.();
    this.#waiting = null;
  }

  #rest(): void {
    this.#cancel = this.#clock.setTimer(this.#intervalMs, () => {
      this.#cancel = null;
      if (!this.#waiting) return;
      const progress = this.#waiting;
      this.#waiting = null;
      this.#say(progress);
      this.#rest();
    });
  }
}

/** Makes progress fit the protocol: a fraction in [0, 1], short text, details as plain JSON of bounded size. */
function fit({ fraction, message, ...details }: Progress): Progress {
  const fitting: Progress = {};
  if (fraction !== undefined && Number.isFinite(fraction)) fitting.fraction = Math.min(1, Math.max(0, fraction));
  if (message !== undefined) fitting.message = message.slice(0, maxMessageChars);
  const json = JSON.stringify(details);
  return json.length <= maxDetailChars ? { ...(JSON.parse(json) as Progress), ...fitting } : fitting;
}
