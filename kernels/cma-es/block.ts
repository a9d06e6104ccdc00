import { KernelInputError, instantiate } from '../runtime/index.ts';
import type { KernelInstance, Pointer } from '../runtime/index.ts';
import { math } from '../math/index.ts';
import type { MathExports } from '../math/index.ts';
import { margin } from './bounds.ts';
import { ALLEVIATE_CONDITION } from './contract.ts';
import type { CmaExports } from './exports.ts';
import { KIND, PART, SCALAR, SCALAR_COUNT } from './layout.ts';
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
  /** Lower triangle of the mean step of C; empty unless learning rates adapt. */
  readonly drift: Float64Array;
}

/** What shapes a block. */
export type Shape = Pick<ResolvedOptions, 'dimension' | 'popsize' | 'adaptive' | 'elitist' | 'integers'> & {
  readonly diagonal: boolean;
};

/** Vectors of d numbers that change from generation to generation. */
export function stateVectors({ adaptive, elitist, integers }: Omit<Shape, 'diagonal'>): readonly Part[] {
  return [
    ...(['mean', 'pc', 'ps', 'scale', 'axes', 'bestX', 'anchor'] as const),
    ...(integers.length > 0 ? (['lift'] as const) : []),
    ...(elitist === 'none' ? [] : (['elite'] as const)),
    ...(adaptive ? (['drift'] as const) : []),
  ];
}

/** One run's numbers in WASM memory, by name. */
export class RunBlock {
  readonly dimension: number;
  readonly popsize: number;
  readonly diagonal: boolean;
  /** The λ values of a generation, in place. */
  readonly values: Float64Array;
  /** Its candidates, λ×d, in place. */
  readonly candidates: Float64Array;
  /** Its candidates by rank, in place, once there is a ranking. */
  readonly order: Uint32Array;
  readonly #instance: KernelInstance<CmaExports>;
  readonly #pointer: Pointer;
  readonly #scalars: Float64Array;
  readonly #steps: Float64Array;
  readonly #stride: number;
  readonly #adaptive: boolean;
  readonly #vectors: readonly Part[];
  #mu = 0;

  constructor(workspace: Workspace, shape: Shape) {
    const { instance } = workspace;
    const { dimension, popsize, diagonal, adaptive } = shape;
    const kind = (diagonal ? KIND.diagonal : 0) | (adaptive ? KIND.adaptive : 0);
    this.dimension = dimension;
    this.popsize = popsize;
    this.diagonal = diagonal;
    this.#adaptive = adaptive;
    this.#vectors = stateVectors(shape);
    this.#instance = instance;
    this.#stride = dimension + (dimension % 2);
    this.#pointer = workspace.room(instance.exports.cmaBytes(dimension, popsize, kind));
    instance.exports.cmaPlace(this.#pointer, dimension, popsize, kind);
    this.#scalars = instance.f64(this.#pointer, SCALAR_COUNT);
    this.values = this.part('values', popsize);
    this.candidates = this.part('x', popsize * dimension);
    this.order = instance.u32(instance.exports.cmaPart(this.#pointer, PART.order), popsize);
    this.#steps = this.part('y', popsize * this.#stride);
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
    // Adaptive rates remember steps in the coordinates of `scale`, which may not change under them.
    const alleviate = options.adaptive ? Infinity : ALLEVIATE_CONDITION;
    const scalars = { mueff, cc, c1, cmu, cs, damps, chiN, eigenGap, alleviate };
    for (const [name, value] of Object.entries(scalars)) this.set(name as keyof typeof scalars, value);
    this.#mu = mu;
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
    const bounded = options.penalised ? 2 : 1;
    const pairs = options.paired ? options.mirrors : 0;
    const elitist = { none: 0, best: 1, initial: 2 }[options.elitist];
    const { exports } = this.#instance;
    exports.cmaBegin(this.#pointer, options.sigma0, mu, options.bounded ? bounded : 0, pairs, elitist);
    if (options.cov !== undefined && !this.diagonal) this.#settle(options.cov, options.stds);
  }

  /** Takes a first C, given in units of the variables. */
  #settle(cov: readonly (readonly number[])[], stds: readonly number[]): void {
    const c = this.part('c', this.#stride * this.#stride);
    cov.forEach((row, i) => {
      row.forEach((entry, j) => {
        c[i * this.#stride + j] = entry / ((stds[i] ?? NaN) * (stds[j] ?? NaN));
      });
    });
    if (this.#instance.exports.cmaSettle(this.#pointer) === 0) {
      throw new KernelInputError('cov', 'a positive definite matrix', 'one that is not');
    }
  }

  /** C in units of the variables, both triangles; undefined when only variances are kept. */
  covariance(): number[][] | undefined {
    if (this.diagonal) return undefined;
    const c = this.part('c', this.#stride * this.#stride);
    const scale = this.part('scale');
    return Array.from({ length: this.dimension }, (_, i) =>
      Array.from({ length: this.dimension }, (_, j) => {
        const entry = c[Math.max(i, j) * this.#stride + Math.min(i, j)] ?? NaN;
        return entry * ((scale[i] ?? NaN) * (scale[j] ?? NaN));
      }),
    );
  }

  /** Draws the `candidates`, which stay until the block learns. */
  ask(): void {
    this.#instance.exports.cmaAsk(this.#pointer);
  }

  /** Candidate k becomes the point that stands in its row of `x`, not yet brought into the bounds. */
  admit(k: number): void {
    this.#instance.exports.cmaAdmit(this.#pointer, k);
  }

  /** Candidate k takes the direction that stands in its row of `x`, and keeps its length. */
  steer(k: number): void {
    this.#instance.exports.cmaSteer(this.#pointer, k);
  }

  /** The μ candidates that the mean was made of, best first, with their weights. */
  parents(): { row: number; weight: number }[] {
    const weights = this.part('weights', this.#mu);
    return Array.from(this.order.subarray(0, this.#mu), (row, place) => ({ row, weight: weights[place] ?? NaN }));
  }

  /** Step y of candidate k: a view. */
  step(k: number): Float64Array {
    return this.#steps.subarray(k * this.#stride, k * this.#stride + this.dimension);
  }

  /** Ranks the candidates by their values and penalties. Gives whether there is a number among them. */
  rank(): boolean {
    return this.#instance.exports.cmaRank(this.#pointer) === 1;
  }

  /** Learns from the ranking. */
  tell(): void {
    this.#instance.exports.cmaTell(this.#pointer);
  }

  moveAnchor(): void {
    this.#instance.exports.cmaAnchor(this.#pointer);
  }

  /** Functions that give the same bits everywhere. */
  get functions(): MathExports {
    return math(this.#instance);
  }

  /** The mean of the distribution, within the bounds. */
  mean(): Float64Array {
    this.#instance.exports.cmaMean(this.#pointer);
    return this.part('meanX').slice();
  }

  /** Standard deviation of each coordinate as it is sampled. */
  stds(): Float64Array {
    const variances = this.part('c', this.diagonal ? this.dimension : this.#stride * this.#stride);
    const scale = this.part('scale');
    const lift = this.part('lift');
    const sigma = this.get('sigma');
    return scale.map((factor, i) => {
      return (
        sigma * factor * (lift[i] ?? NaN) * Math.sqrt(variances[this.diagonal ? i : i * (this.#stride + 1)] ?? NaN)
      );
    });
  }

  save(): RunState {
    const d = this.dimension;
    const stride = this.#stride;
    const vectors = this.#vectors.map((name) => this.part(name).slice());
    const scalars = this.#scalars.slice();
    if (this.diagonal) {
      const none = new Float64Array(0);
      return { scalars, vectors, covariance: this.part('c').slice(), eigenvectors: none, drift: none };
    }
    const e = this.part('e', stride * stride);
    const eigenvectors = new Float64Array(d * d);
    for (let i = 0; i < d; i++) eigenvectors.set(e.subarray(i * stride, i * stride + d), i * d);
    const drift = this.#adaptive ? this.#triangle('driftC') : new Float64Array(0);
    return { scalars, vectors, covariance: this.#triangle('c'), eigenvectors, drift };
  }

  /** Takes over a saved state of the same dimension, population and kind, after `begin`. */
  load(state: RunState): void {
    const d = this.dimension;
    const stride = this.#stride;
    this.#scalars.set(state.scalars);
    this.#vectors.forEach((name, index) => {
      this.part(name).set(state.vectors[index] ?? []);
    });
    if (this.diagonal) {
      this.part('c').set(state.covariance);
      return;
    }
    this.#setTriangle('c', state.covariance);
    if (this.#adaptive) this.#setTriangle('driftC', state.drift);
    const e = this.part('e', stride * stride);
    for (let i = 0; i < d; i++) e.set(state.eigenvectors.subarray(i * d, (i + 1) * d), i * stride);
  }

  #triangle(name: 'c' | 'driftC'): Float64Array {
    const d = this.dimension;
    const matrix = this.part(name, this.#stride * this.#stride);
    const packed = new Float64Array((d * (d + 1)) / 2);
    for (let i = 0; i < d; i++) {
      packed.set(matrix.subarray(i * this.#stride, i * this.#stride + i + 1), (i * (i + 1)) / 2);
    }
    return packed;
  }

  #setTriangle(name: 'c' | 'driftC', packed: Float64Array): void {
    const matrix = this.part(name, this.#stride * this.#stride);
    for (let i = 0; i < this.dimension; i++) {
      const start = (i * (i + 1)) / 2;
      matrix.set(packed.subarray(start, start + i + 1), i * this.#stride);
    }
  }
}
