import { instantiate } from '../runtime/index.ts';
import type { KernelInstance, Pointer } from '../runtime/index.ts';
import { ACTIVATION_CODES, LOSS_CODES } from './exports.ts';
import type { MlpExports } from './exports.ts';
import { parameterCount } from './layers.ts';
import type { Activation, Loss } from './options.ts';

export type MlpInstance = KernelInstance<MlpExports>;

export const instantiateMlp = (module: WebAssembly.Module): MlpInstance => instantiate<MlpExports>(module);

export interface NetworkShape {
  /** D, hidden …, outputs; see `outputWidth`. */
  readonly widths: readonly number[];
  readonly activation: Activation;
  readonly loss: Loss;
}

/** A network inside an instance, with its parameters in and out in plain form. */
export class Network {
  readonly pointer: Pointer;
  readonly #instance: MlpInstance;
  readonly #plain: Pointer;
  readonly #count: number;

  /** @param capacity rows of the largest batch */
  constructor(
    instance: MlpInstance,
    { widths, activation, loss }: NetworkShape,
    capacity: number,
    purpose: 'training' | 'prediction',
  ) {
    this.#instance = instance;
    this.#count = parameterCount('layers', widths);
    this.#plain = instance.alloc(4 * this.#count);
    const list = instance.alloc(4 * widths.length);
    instance.u32(list, widths.length).set(widths);
    const training = purpose === 'training' ? 1 : 0;
    const depth = widths.length - 1;
    this.pointer = instance.allocating(() =>
      instance.exports.mlpNew(list, depth, ACTIVATION_CODES[activation], LOSS_CODES[loss], capacity, training),
    );
  }

  /** A copy of an arena in plain form. */
  read(arena: Pointer): Float32Array {
    this.#instance.exports.mlpUnpack(this.pointer, arena, this.#plain);
    return this.#instance.f32(this.#plain, this.#count).slice();
  }

  write(arena: Pointer, plain: Float32Array): void {
    this.#instance.f32(this.#plain, this.#count).set(plain);
    this.#instance.exports.mlpPack(this.pointer, this.#plain, arena);
  }

  /** Remembers the present parameters in the arena `best`. */
  keep(): void {
    this.#instance.exports.mlpKeep(this.pointer);
  }

  get parameters(): Pointer {
    return this.#instance.exports.mlpParameters(this.pointer);
  }

  get best(): Pointer {
    return this.#instance.exports.mlpBest(this.pointer);
  }

  get firstMoment(): Pointer {
    return this.#instance.exports.mlpFirstMoment(this.pointer);
  }

  get secondMoment(): Pointer {
    return this.#instance.exports.mlpSecondMoment(this.pointer);
  }
}
