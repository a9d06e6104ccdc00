import type { Json } from '#protocol';
import type { Clock } from '../../../edge/lib/clock.ts';
import type { Envelope } from '../../../edge/lib/outbox.ts';
import type { OutboxStore } from '../../../edge/lib/outbox-store.ts';

/** Time stands still until a test moves it; timers run when a test says so. */
export class StillClock implements Clock {
  nowMs = 1_000_000;
  chance = 0.5;
  readonly timers: { ms: number; run: () => void }[] = [];

  now(): number {
    return this.nowMs;
  }

  random(): number {
    return this.chance;
  }

  randomBytes(count: number): Uint8Array {
    return new Uint8Array(count).fill(7);
  }

  setTimer(ms: number, run: () => void): () => void {
    const timer = { ms, run };
    this.timers.push(timer);
    return () => {
      const index = this.timers.indexOf(timer);
      if (index >= 0) this.timers.splice(index, 1);
    };
  }

  /** Runs every timer that is set. */
  runTimers(): void {
    for (const { run } of this.timers.splice(0)) run();
  }
}

/** What `SqlOutboxStore` does, without SQL. */
export class MemoryOutboxStore implements OutboxStore {
  readonly #waiting = new Map<string, Envelope[]>();
  readonly #acknowledged = new Map<string, number>();
  readonly #received = new Map<string, number>();

  append(target: string, body: string): void {
    const waiting = this.#waiting.get(target) ?? [];
    const last = waiting.at(-1)?.seq ?? this.#acknowledged.get(target) ?? 0;
    this.#waiting.set(target, [...waiting, { seq: last + 1, body: JSON.parse(body) as Json }]);
  }

  targets(): string[] {
    return [...this.#waiting].filter(([, waiting]) => waiting.length > 0).map(([target]) => target);
  }

  head(target: string, count: number): Envelope[] {
    return (this.#waiting.get(target) ?? []).slice(0, count);
  }

  acknowledge(target: string, seq: number): void {
    this.#waiting.set(
      target,
      (this.#waiting.get(target) ?? []).filter((message) => message.seq > seq),
    );
    this.#acknowledged.set(target, seq);
  }

  received(sender: string): number {
    return this.#received.get(sender) ?? 0;
  }

  setReceived(sender: string, seq: number): void {
    this.#received.set(sender, seq);
  }
}
