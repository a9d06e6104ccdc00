import { KernelInputError, canonicalise, instantiate, requireInteger } from '../runtime/index.ts';
import type { KernelInstance, Pointer } from '../runtime/index.ts';
import { BUILTINS, BUILTIN_NAMES, parseBuiltin, parseProblem } from './contract.ts';
import type { BbobProblem, TestFunction } from './contract.ts';
import type { BbobExports } from './exports.ts';

type Evaluate = (x: Pointer, rows: number, out: Pointer) => void;

/** Points go in and values come out through one piece of memory that grows with the largest request. */
class Evaluator {
  readonly #instance: KernelInstance<BbobExports>;
  readonly #dimension: number;
  readonly #evaluate: Evaluate;
  #rows = 0;
  #points: Pointer = 0;
  #values: Pointer = 0;

  constructor(instance: KernelInstance<BbobExports>, dimension: number, evaluate: Evaluate) {
    this.#instance = instance;
    this.#dimension = dimension;
    this.#evaluate = evaluate;
  }

  evaluate(xs: ArrayLike<number>, rows: number): Float64Array {
    requireInteger('rows', rows, { min: 0 });
    if (xs.length !== rows * this.#dimension) {
      throw new KernelInputError('x', `${rows} × ${this.#dimension} numbers`, xs);
    }
    if (rows > this.#rows) {
      this.#rows = Math.max(rows, 2 * this.#rows);
      this.#points = this.#instance.alloc(8 * this.#rows * this.#dimension);
      this.#values = this.#instance.alloc(8 * this.#rows);
    }
    this.#instance.f64(this.#points, xs.length).set(xs);
    this.#evaluate(this.#points, rows, this.#values);
    return canonicalise(this.#instance.f64(this.#values, rows).slice());
  }
}

function testFunction(
  facts: Omit<TestFunction, 'evaluate' | 'evaluateMany'>,
  instance: KernelInstance<BbobExports>,
  evaluate: Evaluate,
): TestFunction {
  const evaluator = new Evaluator(instance, facts.dimension, evaluate);
  return {
    ...facts,
    evaluate: (x) => evaluator.evaluate(x, 1)[0] ?? NaN,
    evaluateMany: (xs, rows) => evaluator.evaluate(xs, rows),
  };
}

const filled = (values: readonly number[], d: number): number[] =>
  Array.from({ length: d }, (_, i) => values[i] ?? values[0] ?? NaN);

/**
 * A noiseless function of BBOB, f1–f24, as COCO's suite "bbob" defines it: same optimum, same values to 1e-9. Customary
 * bounds are −5 … 5.
 *
 * @throws KernelInputError naming `function`, `instance` or `dimension`.
 */
export function bbob(module: WebAssembly.Module, problem: BbobProblem): TestFunction {
  const { function: id, instance: number, dimension } = parseProblem(problem);
  const instance = instantiate<BbobExports>(module);
  const { exports } = instance;
  const pointer = exports.bbobNew(id, number, dimension);
  const facts = {
    name: `bbob_f${String(id).padStart(3, '0')}_i${String(number).padStart(2, '0')}_d${String(dimension).padStart(2, '0')}`,
    dimension,
    bounds: { lower: filled([-5], dimension), upper: filled([5], dimension) },
    fopt: exports.bbobFopt(pointer),
    xopt: instance.f64(exports.bbobXopt(pointer), dimension).slice(),
  };
  return testFunction(facts, instance, (x, rows, out) => exports.bbobEvaluate(pointer, x, rows, out));
}

/**
 * A customary test function by name: see `BUILTIN_NAMES`.
 *
 * @param dimension may be left out where the function has only one (branin 2, hartmann3 3, hartmann6 6).
 * @throws KernelInputError naming `name` or `dimension`.
 */
export function builtin(module: WebAssembly.Module, name: string, dimension?: number): TestFunction {
  const parsed = parseBuiltin(name, dimension);
  const { lower, upper, xopt, fopt } = BUILTINS[parsed.name];
  const d = parsed.dimension;
  const id = BUILTIN_NAMES.indexOf(parsed.name);
  const instance = instantiate<BbobExports>(module);
  const facts = {
    name: parsed.name,
    dimension: d,
    bounds: { lower: filled(lower, d), upper: filled(upper, d) },
    fopt,
    xopt: Float64Array.from(filled(xopt, d)),
  };
  return testFunction(facts, instance, (x, rows, out) => instance.exports.bbobBuiltin(id, x, rows, d, out));
}
