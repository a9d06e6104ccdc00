import { ALL_NAN_ITERATIONS } from './contract.ts';
import type { StopReasons } from './contract.ts';
import type { Scalar } from './layout.ts';
import { median } from './median.ts';
import type { ResolvedOptions } from './options.ts';

/** Every how many iterations best and median enter the long history. */
const SPARSE = 5;
/** Entries of the long history. */
const LONG_HISTORY = 20_000;

/** What termination looks at after a generation. */
export interface Described {
  get(name: Scalar): number;
  /** The mean becomes the point from which stagnation is measured. */
  moveAnchor(): void;
}

/** The best value of earlier runs, and the share of the way to it within which values tell that a run will not get there. */
export interface Rival {
  readonly fun: number;
  readonly tolbehind: number;
}

/** What termination remembers between generations. */
export interface TerminationState {
  readonly counters: { flat: number; anchored: number };
  /** Best values of late, all kept best values, all kept medians (oldest first), and [first median, least median]. */
  readonly histories: readonly [Float64Array, Float64Array, Float64Array, Float64Array];
}

function range(values: readonly number[]): number {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most - least;
}

/** Whether all values lie within a range below `limit`. While a run gets on, the first and the last of them tell. */
function liesWithin(values: readonly number[], limit: number): boolean {
  return !(Math.abs((values[0] ?? NaN) - (values[values.length - 1] ?? NaN)) >= limit) && range(values) < limit;
}

/** Whether the newest `span` values are no better, in the median, than the `span` before them. */
function stagnates(history: readonly number[], span: number): boolean {
  const newest = history.slice(history.length - span);
  const before = history.slice(history.length - 2 * span, history.length - span);
  return median(newest) >= median(before);
}

/** pycma's termination conditions, looked at once after each generation. */
export class Termination {
  readonly #options: ResolvedOptions;
  #recent: number[] = [];
  #bests: number[] = [];
  #medians: number[] = [];
  #firstMedian = NaN;
  #leastMedian = Infinity;
  /** Flat generations in a row. */
  #flat = 0;
  /** Iteration in which the mean last moved by more than δ. */
  #anchored = 0;

  readonly #rival: Rival | undefined;

  constructor(options: ResolvedOptions, rival?: Rival) {
    this.#options = options;
    this.#rival = rival;
  }

  save(): TerminationState {
    return {
      counters: { flat: this.#flat, anchored: this.#anchored },
      histories: [
        Float64Array.from(this.#recent),
        Float64Array.from(this.#bests),
        Float64Array.from(this.#medians),
        Float64Array.of(this.#firstMedian, this.#leastMedian),
      ],
    };
  }

  load({ counters, histories }: TerminationState): void {
    const [recent, bests, medians, extremes] = histories;
    this.#recent = [...recent];
    this.#bests = [...bests];
    this.#medians = [...medians];
    this.#firstMedian = extremes[0] ?? NaN;
    this.#leastMedian = extremes[1] ?? Infinity;
    this.#flat = counters.flat;
    this.#anchored = counters.anchored;
  }

  /** Takes a generation in and says which conditions hold now. */
  update(block: Described): StopReasons {
    const reasons: StopReasons = {};
    this.#budgets(block, reasons);
    const failed = block.get('allNan');
    if (failed > 0) {
      if (failed >= ALL_NAN_ITERATIONS) reasons.allnan = failed;
      return reasons;
    }
    this.#remember(block);
    this.#values(block, reasons);
    this.#stagnation(block, reasons);
    this.#spread(block, reasons);
    return reasons;
  }

  #remember(block: Described): void {
    const { dimension, popsize } = this.#options;
    const best = block.get('fitBest');
    const middle = block.get('fitMedian');
    this.#recent.push(best);
    if (this.#recent.length > 10 + (30 * dimension) / popsize) this.#recent.shift();
    if (block.get('iterations') % SPARSE === 0) {
      this.#bests.push(best);
      this.#medians.push(middle);
      if (this.#bests.length > LONG_HISTORY) {
        this.#bests.shift();
        this.#medians.shift();
      }
    }
    if (Number.isNaN(this.#firstMedian)) this.#firstMedian = middle;
    this.#leastMedian = Math.min(this.#leastMedian, middle);
    this.#flat = best < block.get('fitUpper') ? 0 : this.#flat + 1;
  }

  #budgets(block: Described, reasons: StopReasons): void {
    const { ftarget, maxfevals, maxiter, popsize } = this.#options;
    if (block.get('bestFun') <= ftarget) reasons.ftarget = ftarget;
    if (block.get('evaluations') + popsize > maxfevals) reasons.maxfevals = maxfevals;
    if (block.get('iterations') >= maxiter) reasons.maxiter = maxiter;
  }

  #values(block: Described, reasons: StopReasons): void {
    const { tolfun, tolfunhist, tolfunrel, tolflatfitness } = this.#options;
    const current = block.get('fitWorst') - block.get('fitBest');
    if (current < tolfun && liesWithin(this.#recent, tolfun)) reasons.tolfun = tolfun;
    if (current < tolfunrel * (this.#firstMedian - this.#leastMedian)) reasons.tolfunrel = tolfunrel;
    if (this.#recent.length > 9 && liesWithin(this.#recent, tolfunhist)) reasons.tolfunhist = tolfunhist;
    if (this.#rival !== undefined && this.#recent.length > 9) {
      const within = this.#rival.tolbehind * (block.get('bestFun') - this.#rival.fun);
      if (current < within && liesWithin(this.#recent, within)) reasons.tolbehind = this.#rival.tolbehind;
    }
    if (this.#flat > tolflatfitness) reasons.tolflatfitness = tolflatfitness;
  }

  #stagnation(block: Described, reasons: StopReasons): void {
    const { dimension, popsize, tolstagnation, tolxstagnation } = this.#options;
    const iterations = block.get('iterations');
    if (tolxstagnation !== undefined) {
      const [delta, offset, fraction] = tolxstagnation;
      const patience = offset + fraction * iterations;
      const waited = iterations - this.#anchored;
      if (block.get('anchorDistance') > delta * Math.sqrt(Math.max(1, waited / patience))) {
        block.moveAnchor();
        this.#anchored = iterations;
      } else if (waited > patience) {
        reasons.tolxstagnation = delta;
      }
    }
    if (tolstagnation === 0 || iterations <= dimension * (5 + 100 / popsize) || this.#bests.length <= 100) return;
    const span = Math.floor(Math.max(tolstagnation / 10, this.#bests.length / 10));
    const sinceBest = (block.get('evaluations') - block.get('bestAt')) / popsize;
    if (sinceBest <= tolstagnation / 2 || 2 * span >= this.#bests.length) return;
    if (stagnates(this.#medians, span) && stagnates(this.#bests, span)) reasons.tolstagnation = tolstagnation;
  }

  #spread(block: Described, reasons: StopReasons): void {
    const { sigma0, tolx, tolfacupx, tolupsigma, tolconditioncov } = this.#options;
    const longest = block.get('axisMax');
    if (block.get('growth') > tolfacupx) reasons.tolfacupx = tolfacupx;
    if (block.get('stdMax') < tolx && block.get('pathMax') < tolx) reasons.tolx = tolx;
    if (tolupsigma > 0 && block.get('sigma') / longest > sigma0 * tolupsigma) reasons.tolupsigma = tolupsigma;
    if (block.get('deafCoordinate') >= 0) reasons.noeffectcoord = block.get('deafCoordinate');
    if (block.get('deafAxis') >= 0) reasons.noeffectaxis = block.get('deafAxis');
    if (tolconditioncov > 0 && longest > Math.sqrt(tolconditioncov) * block.get('axisMin')) {
      reasons.tolconditioncov = tolconditioncov;
    }
  }
}
