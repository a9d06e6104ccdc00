import { describe, expect, it } from 'vitest';
import { bbob } from '../../../kernels/bbob/index.ts';
import { CmaEs, RestartedCmaEs } from '../../../kernels/cma-es/index.ts';
import { kernelModule } from './load.ts';

const module = await kernelModule();

type Objective = (x: Float64Array) => number;

const sphere: Objective = (x) => x.reduce((sum, value) => sum + value * value, 0);
const ellipsoid: Objective = (x) => x.reduce((sum, value, i) => sum + 10 ** ((6 * i) / (x.length - 1)) * value ** 2, 0);
const rosenbrock: Objective = (x) =>
  x.subarray(1).reduce((sum, next, i) => sum + 100 * (x[i]! ** 2 - next) ** 2 + (x[i]! - 1) ** 2, 0);
const rastrigin: Objective = (x) =>
  x.reduce((sum, value) => sum + value * value + 10 - 10 * Math.cos(2 * Math.PI * value), 0);

function values(es: CmaEs | RestartedCmaEs, objective: Objective): number[] {
  const population = es.ask();
  const d = es.dimension;
  return Array.from({ length: es.popsize }, (_, k) => objective(population.subarray(k * d, (k + 1) * d)));
}

const running = (es: CmaEs | RestartedCmaEs): boolean => Object.keys(es.stop()).length === 0;

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]!;
}

const seeds = Array.from({ length: 11 }, (_, k) => k + 1);

describe('evaluations to 1e-8 in ten dimensions, median of eleven seeds', () => {
  it.each([
    { name: 'sphere', objective: sphere, x0: 3, sigma0: 2, pycma: 1414 },
    { name: 'ellipsoid', objective: ellipsoid, x0: 3, sigma0: 2, pycma: 3951 },
    { name: 'Rosenbrock', objective: rosenbrock, x0: 0, sigma0: 0.5, pycma: 4903 },
  ])('are fewer than pycma’s on $name', ({ objective, x0, sigma0, pycma }) => {
    const needed = seeds.map((seed) => {
      const es = CmaEs.create(module, {
        dimension: 10,
        x0: new Array<number>(10).fill(x0),
        sigma0,
        seed,
        ftarget: 1e-8,
      });
      while (running(es)) es.tell(values(es, objective));
      return 'ftarget' in es.stop() ? es.evaluations : Infinity;
    });
    expect(median(needed)).toBeLessThan(pycma);
  });
});

describe('restarts', () => {
  it('solve Rastrigin’s function in five dimensions with every seed', () => {
    for (const seed of seeds) {
      const options = { dimension: 5, x0: [3, 3, 3, 3, 3], sigma0: 2, seed };
      const es = RestartedCmaEs.create(module, options, { restarts: 'ipop', maxEvaluations: 100_000, target: 1e-8 });
      while (running(es)) es.tell(values(es, rastrigin));
      expect(es.stop()).toEqual({ ftarget: 1e-8 });
    }
  });

  it('solve functions with weak structure by local searches in between', () => {
    const problem = bbob(module, { function: 21, instance: 1, dimension: 3 });
    const { bounds, fopt } = problem;
    const options = { dimension: 3, x0: [0, 0, 0], sigma0: 2, seed: 5, bounds };
    const restart = { restarts: 'bipop', maxEvaluations: 150_000, target: fopt + 1e-8, restartFrom: 'bounds' } as const;
    const es = RestartedCmaEs.create(module, options, restart);
    while (running(es)) es.tell(problem.evaluateMany(es.ask(), es.popsize));
    expect(es.best.fun - fopt).toBeLessThanOrEqual(1e-8);
  });
});
