import { setTimeout as sleep } from 'node:timers/promises';
import type { Rng } from '#kernels/rng';
import type { Edge } from '../broker/edge.ts';
import type { Proxy } from './proxy.ts';
import type { Workers } from './workers.ts';

/** Kills and disturbs, and counts what it has done. */
export class Chaos {
  readonly done = {
    workerd_killed: 0,
    workers_killed: 0,
    workers_left: 0,
    workers_frozen: 0,
    connections_cut: 0,
    connections_stalled: 0,
    answers_lost: 0,
    sockets_silenced: 0,
  };
  readonly #edge: Edge;
  readonly #proxy: Proxy;
  readonly #workers: Workers;
  readonly #rng: Rng;

  constructor(parts: { edge: Edge; proxy: Proxy; workers: Workers; rng: Rng }) {
    this.#edge = parts.edge;
    this.#proxy = parts.proxy;
    this.#workers = parts.workers;
    this.#rng = parts.rng;
  }

  /** Some faults, one after the other, once a worker is at work again. */
  async disturb(count: number): Promise<void> {
    while ((await this.#edge.httpGrid.inspect('ping', { timeoutSeconds: 1 })).replies.length === 0);
    for (let n = 0; n < count; n++) {
      this.#one();
      await sleep(100 + this.#rng.uniform() * 700);
    }
  }

  /** Kills workerd within so many milliseconds, or as soon as there is one. */
  async killEdge(withinMs: number): Promise<void> {
    await sleep(this.#rng.uniform() * withinMs);
    while (this.#edge.pid() === 0) await sleep(5);
    process.kill(this.#edge.pid(), 'SIGKILL');
    this.done.workerd_killed++;
    while (this.#edge.pid() !== 0) await sleep(5);
  }

  #one(): void {
    const { done } = this;
    const worker = this.#rng.integer(this.#workers.count || 1);
    const half = (): boolean => this.#rng.uniform() < 0.5;
    const faults = [
      () => {
        this.#workers.signal(worker, 'SIGKILL');
        done.workers_killed++;
      },
      () => {
        this.#workers.signal(worker, 'SIGTERM');
        done.workers_left++;
      },
      () => {
        // Longer than a lease: it is given up for dead, and comes back.
        this.#workers.freeze(worker, 1_000 + this.#rng.uniform() * 6_000);
        done.workers_frozen++;
      },
      () => (done.connections_cut += this.#proxy.cut(half)),
      () => (done.connections_stalled += this.#proxy.stall(200 + this.#rng.uniform() * 4_000, half)),
      () => (done.answers_lost += this.#proxy.loseAnswers(half)),
      () => (done.sockets_silenced += this.#proxy.silence(half)),
    ];
    faults[this.#rng.integer(faults.length)]?.();
  }
}
