import { instantiate } from '../runtime/index.ts';
import type { KernelInstance, Pointer } from '../runtime/index.ts';
import { margin } from './bounds.ts';
import { ALLEVIATE_CONDITION } from './contract.ts';
import type { CmaExports } from './exports.ts';
import { PART, SCALAR, SCALAR_COUNT } from './layout.ts';
import type { Part, Scalar } from './layout.ts';
import type { ResolvedOptions } from './options.ts';
import type { StrategyParameters } from './parameters.ts';

/** Memory of one instance, reused by one run after the other: what a run leaves behind, the next one overwrites. */
export class Workspace {
  readonly instance: KernelInstance<CmaExports>;
  #pointer: Pointer = 0;
  #bytes = 0;

  constructor(module: WebAssembly.Module) {
    this.instance = instantiate<CmaExports>(module);
  }

  room(bytes: number): Pointer {
    if (bytes > this.#bytes) {
      this.#pointer = this.instance.alloc(bytes);
      this.#bytes = bytes;
    }
    return this.#pointer;
  }
}

/** What a run is besides its options: copies, independent of memory. */
export interface RunState {
  readonly scalars: Float64Array;
  readonly vectors: readonly Float64Array[];
  /** Lower triangle of C by rows, or its diagonal. */
  readonly covariance: Float64Array;
  /** One eigenvector a row; empty when C is diagonal. */
  readonly eigenvectors: Float64Array;
}

/** Vectors of d numbers that change from generation to generation. */
const STATE_VECTORS = ['mean', 'pc', 'ps', 'scale', 'axes', 'bestX', 'anchor'] as const satisfies readonly Part[];

/** One run's numbers in WASM memory, by name. */
export class RunBlock {
  readonly dimension: number;
  readonly popsize: number;
  readonly diagonal: boolean;
  readonly values: Float64Array;
  readonly #instance: KernelInstance<CmaExports>;
  readonly #pointer: Pointer;
  readonly #scalars: Float64Array;
  readonly #stride: number;

  constructor(workspace: Workspace, dimension: number, popsize: number, diagonal: boolean) {
    const { instance } = workspace;
    const flag = diagonal ? 1 : 0;
    this.dimension = dimension;
    this.popsize = popsize;
    this.diagonal = diagonal;
    this.#instance = instance;
    this.#stride = dimension + (dimension % 2);
    this.#pointer = workspace.room(instance.exports.cmaBytes(dimension, popsize, flag));
    instance.exports.cmaPlace(this.#pointer, dimension, popsize, flag);
    this.#scalars = instance.f64(this.#pointer, SCALAR_COUNT);
    this.values = this.part('values', popsize);
  }

  get(name: Scalar): number {
    return this.#scalars[SCALAR[name]] ?? NaN;
  }

  set(name: Scalar, value: number): void {
    this.#scalars[SCALAR[name]] = value;
  }

  /** The first `length` numbers of a part, in place. */
  part(name: Part, length = this.dimension): Float64Array {
    return this.#instance.f64(this.#instance.exports.cmaPart(this.#pointer, PART[name]), length);
  }

  /** Fills in what does not change during a run, and begins with C = I at `mean` (not yet bent into the bounds). */
  begin(options: ResolvedOptions, parameters: StrategyParameters, mean: readonly number[], stream: number): void {
    const { lower, upper } = options;
    const { mu, mueff, cc, c1, cmu, cs, damps, chiN, eigenGap } = parameters;
    const scalars = { mueff, cc, c1, cmu, cs, damps, chiN, eigenGap, alleviate: ALLEVIATE_CONDITION };
    for (const [name, value] of Object.entries(scalars)) this.set(name as keyof typeof scalars, value);
    this.set('seed', options.seed);
    this.set('stream', stream);
    this.part('weights', this.popsize).set(parameters.weights);
    this.part('mean').set(mean);
    this.part('scale').set(options.stds);
    this.part('minStd').set(options.minstd);
    this.part('maxStd').set(options.maxstd);
    this.part('lower').set(lower);
    this.part('upper').set(upper);
    this.part('lowerMargin').set(lower.map((low, i) => margin(low, low, upper[i] ?? Infinity)));
    this.part('upperMargin').set(upper.map((high, i) => margin(high, lower[i] ?? -Infinity, high)));
    this.#instance.exports.cmaBegin(this.#pointer, options.sigma0, mu, options.bounded ? 1 : 0);
  }

  ask(): Float64Array {
    this.#instance.exports.cmaAsk(this.#pointer);
    return this.part('x', this.popsize * this.dimension).slice();
  }

  tell(): void {
    this.#instance.exports.cmaTell(this.#pointer);
  }

  moveAnchor(): void {
    this.#instance.exports.cmaAnchor(this.#pointer);
  }

  /** The mean of the distribution, within the bounds. */
  mean(): Float64Array {
    this.#instance.exports.cmaMean(this.#pointer);
    return this.part('meanX').slice();
  }

  /** Standard deviation of each coordinate. */
  stds(): Float64Array {
    const variances = this.part('c', this.diagonal ? this.dimension : this.#stride * this.#stride);
    const scale = this.part('scale');
    const sigma = this.get('sigma');
    return scale.map((factor, i) => {
      return sigma * factor * Math.sqrt(variances[this.diagonal ? i : i * (this.#stride + 1)] ?? NaN);
    });
  }

  save(): RunState {
    const d = this.dimension;
    const stride = this.#stride;
    const vectors = STATE_VECTORS.map((name) => this.part(name).slice());
    const scalars = this.#scalars.slice();
    if (this.diagonal) {
      return { scalars, vectors, covariance: this.part('c').slice(), eigenvectors: new Float64Array(0) };
    }
    const c = this.part('c', stride * stride);
    const e = this.part('e', stride * stride);
    const covariance = new Float64Array((d * (d + 1)) / 2);
    const eigenvectors = new Float64Array(d * d);
    for (let i = 0; i < d; i++) {
      covariance.set(c.subarray(i * stride, i * stride + i + 1), (i * (i + 1)) / 2);
      eigenvectors.set(e.subarray(i * stride, i * stride + d), i * d);
    }
    return { scalars, vectors, covariance, eigenvectors };
  }

  /** Takes over a saved state of the same dimension, population and kind, after `begin`. */
  load(state: RunState): void {
    const d = this.dimension;
    const stride = this.#stride;
    this.#scalars.set(state.scalars);
    STATE_VECTORS.forEach((name, index) => {
      this.part(name).set(state.vectors[index] ?? []);
    });
    if (this.diagonal) {
      this.part('c').set(state.covariance);
      return;
    }
    const c = this.part('c', stride * stride);
    const e = this.part('e', stride * stride);
    for (let i = 0; i < d; i++) {
      const start = (i * (i + 1)) / 2;
      c.set(state.covariance.subarray(start, start + i + 1), i * stride);
      e.set(state.eigenvectors.subarray(i * d, (i + 1) * d), i * stride);
    }
  }
}
