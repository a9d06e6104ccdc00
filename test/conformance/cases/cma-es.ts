import { bbob, builtin } from '../../../kernels/bbob/index.ts';
import type { TestFunction } from '../../../kernels/bbob/index.ts';
import { RestartedCmaEs, warmStart } from '../../../kernels/cma-es/index.ts';
import type { CmaOptions, RestartOptions } from '../../../kernels/cma-es/index.ts';
import type { KernelCases, ResumableCase } from './case.ts';
import { uniform } from './data.ts';

interface Search {
  readonly problem: (module: WebAssembly.Module) => TestFunction;
  readonly options?: Partial<CmaOptions>;
  readonly restart?: Partial<RestartOptions>;
  /** Changes a value before it is told. */
  readonly told?: (value: number, index: number) => number;
}

/** The snapshot at the end has every number of the search's state. */
function search({ problem, options = {}, restart = {}, told = (value) => value }: Search): ResumableCase {
  return {
    stops: [3, 40],
    open: (module, snapshot) => {
      const f = problem(module);
      const x0 = Array.from({ length: f.dimension }, (_, i) => 0.3 + 0.1 * i);
      const run = { dimension: f.dimension, x0, sigma0: 1.5, seed: 1099511627783, ...options };
      const es = snapshot
        ? RestartedCmaEs.resume(module, snapshot)
        : RestartedCmaEs.create(module, run, { restarts: 'bipop', maxEvaluations: 4000, ...restart });
      return {
        get done() {
          return Object.keys(es.stop()).length > 0;
        },
        step: () => es.tell(f.evaluateMany(es.ask(), es.popsize).map(told)),
        snapshot: () => es.snapshot(),
        result: () => [es.snapshot(), es.best.x],
      };
    },
  };
}

export const cmaEsCases: KernelCases = {
  bipop: search({ problem: (module) => bbob(module, { function: 15, instance: 1, dimension: 5 }) }),
  bounds: search({
    problem: (module) => builtin(module, 'levy', 12),
    options: { bounds: { lower: -1, upper: 2 } },
  }),
  'large population': search({ problem: (module) => builtin(module, 'ellipsoid', 31), options: { popsize: 41 } }),
  diagonal: search({ problem: (module) => builtin(module, 'rastrigin', 9), options: { CMA_diagonal: 30 } }),
  'adaptive rates': search({
    problem: (module) => builtin(module, 'rastrigin', 6),
    options: { lr_adapt: true, CMA_mirrors: 2 },
  }),
  'whole numbers, penalty and an elite': search({
    problem: (module) => builtin(module, 'ellipsoid', 7),
    options: {
      ...{ integer_variables: [1, 5], fixed_variables: { 3: 0.5 }, CMA_elitist: true },
      ...{ bounds: { lower: [null, null, 0.1, -1, -2, -3, null], upper: 5 }, BoundaryHandler: 'BoundPenalty' },
    },
  }),
  'mirrored pairs': search({
    problem: (module) => builtin(module, 'rosenbrock', 4),
    options: { CMA_mirrors: 2, CMA_mirrormethod: 0 },
  }),
  'values that are not numbers': search({
    problem: (module) => builtin(module, 'rosenbrock', 6),
    told: (value, index) => (index % 3 === 0 ? 0 / 0 : value),
  }),
  'warm start': (module) => {
    const f = builtin(module, 'rosenbrock', 4);
    const points = Array.from({ length: 40 }, (_, i) => uniform(4, -2, 2, i));
    const values = points.map((point, i) => (i % 9 === 0 ? 0 / 0 : f.evaluate(point)));
    return [JSON.stringify(warmStart(module, points, values, { gamma: 0.3 }))];
  },
};
