import { requireInteger } from '../runtime/checks.ts';
import { normalQuantile } from './normal.ts';
import { multiplyHigh, philox4x32 } from './philox.ts';

const TWO_26 = 67108864;
const TWO_32 = 4294967296;
const TWO_MINUS_52 = 2.220446049250313e-16;
const TWO_MINUS_53 = 1.1102230246251565e-16;

/** Everything there is to know about a generator; plain data, so that it can travel in a snapshot. */
export interface RngState {
  readonly seed: number;
  readonly stream: number;
  /** 32-bit words drawn so far. */
  readonly position: number;
}

/**
 * Random numbers of one (seed, stream) pair: Philox4x32-10 with the seed as key, and the stream in the upper half of
 * the counter. Streams of one seed do not overlap. The same numbers come from philox.as.ts and rng.as.ts.
 *
 * @throws KernelInputError unless seed and stream are integers from 0 to 2⁵³ − 1.
 */
export class Rng {
  readonly #seed: number;
  readonly #stream: number;
  readonly #key: readonly [number, number];
  readonly #words = new Uint32Array(4);
  #position = 0;

  constructor(seed: number, stream = 0) {
    this.#seed = requireInteger('seed', seed, { min: 0 });
    this.#stream = requireInteger('stream', stream, { min: 0 });
    this.#key = [seed >>> 0, Math.floor(seed / TWO_32)];
  }

  static restore(state: RngState): Rng {
    const rng = new Rng(state.seed, state.stream);
    rng.#position = requireInteger('position', state.position, { min: 0 });
    if (rng.#position % 4 !== 0) rng.#block(Math.floor(rng.#position / 4));
    return rng;
  }

  state(): RngState {
    return { seed: this.#seed, stream: this.#stream, position: this.#position };
  }

  #block(index: number): void {
    const counter = [
      index >>> 0,
      Math.floor(index / TWO_32),
      this.#stream >>> 0,
      Math.floor(this.#stream / TWO_32),
    ] as const;
    philox4x32(counter, this.#key, this.#words);
  }

  /** A 32-bit word, 0 … 2³² − 1. */
  uint32(): number {
    const lane = this.#position % 4;
    if (lane === 0) this.#block(this.#position / 4);
    this.#position += 1;
    return this.#words[lane] ?? 0;
  }

  /** Uniform on [0, 1), 53 bits; takes two words. */
  uniform(): number {
    const a = this.uint32() >>> 5;
    const b = this.uint32() >>> 6;
    return (a * TWO_26 + b) * TWO_MINUS_53;
  }

  /** Standard normal by inversion; takes two words, so that nothing but the position has to be remembered. */
  normal(): number {
    const a = this.uint32() >>> 6;
    const b = this.uint32() >>> 6;
    return normalQuantile((a * TWO_26 + b + 0.5) * TWO_MINUS_52);
  }

  /**
   * Uniform on {0, …, n − 1}, without bias (Lemire, Fast random integer generation in an interval, 2019).
   *
   * @throws KernelInputError unless n is an integer from 1 to 2³² − 1.
   */
  integer(n: number): number {
    requireInteger('n', n, { min: 1, max: TWO_32 - 1 });
    const threshold = (TWO_32 - n) % n;
    for (;;) {
      const word = this.uint32();
      if (Math.imul(word, n) >>> 0 >= threshold) return multiplyHigh(word, n);
    }
  }

  /** Shuffles in place (Fisher–Yates, last place first). */
  shuffle(items: Uint32Array): void {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const kept = items[last] ?? 0;
      items[last] = items[other] ?? 0;
      items[other] = kept;
    }
  }
}
