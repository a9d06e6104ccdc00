import { describe, expect, it } from 'vitest';
import { CmaEs } from '../../../kernels/cma-es/index.ts';
import type { CmaOptions } from '../../../kernels/cma-es/index.ts';
import { Rng } from '../../../kernels/rng/index.ts';
import { kernelModule } from './load.ts';

const module = await kernelModule();

type Objective = (x: Float64Array) => number;

const sphere: Objective = (x) => x.reduce((sum, value) => sum + value * value, 0);
const downhill: Objective = (x) => -x.reduce((sum, value) => sum + value, 0);
const steep: Objective = (x) => x.reduce((sum, value, i) => sum + 10 ** (3 * i) * value * value, 0);
const LIMIT = 30_000;

/** Everything off that is not asked for, so that one condition can be seen alone. */
const quiet: Partial<CmaOptions> = {
  maxiter: 1e6,
  tolfun: 0,
  tolfunhist: 0,
  tolx: 0,
  tolfacupx: 1e300,
  tolupsigma: 0,
  tolconditioncov: 0,
  tolflatfitness: 1e6,
  tolstagnation: 0,
  tolxstagnation: false,
};

function run(objective: Objective, options: Partial<CmaOptions>, dimension = 3): CmaEs {
  const x0 = new Array<number>(dimension).fill(1);
  const es = CmaEs.create(module, { dimension, x0, sigma0: 0.5, seed: 4, ...options });
  while (Object.keys(es.stop()).length === 0 && es.evaluations < LIMIT) {
    const population = es.ask();
    const rows = population.length / dimension;
    es.tell(Array.from({ length: rows }, (_, k) => objective(population.subarray(k * dimension, (k + 1) * dimension))));
  }
  return es;
}

describe('a run stops', () => {
  it('at the target', () => {
    const es = run(sphere, { ...quiet, ftarget: 1e-3 });
    expect(es.stop()).toEqual({ ftarget: 1e-3 });
    expect(es.best.fun).toBeLessThanOrEqual(1e-3);
  });

  it('before a generation would overdraw the budget', () => {
    const es = run(sphere, { ...quiet, maxfevals: 100, popsize: 7 });
    expect(es.stop()).toEqual({ maxfevals: 100 });
    expect(es.evaluations).toBe(98);
    expect(run(sphere, { ...quiet, maxfevals: 3, popsize: 7 }).evaluations).toBe(7);
  });

  it('after its iterations', () => {
    const es = run(sphere, { ...quiet, maxiter: 12 });
    expect([es.stop(), es.iterations]).toEqual([{ maxiter: 12 }, 12]);
  });

  it.each([
    ['tolfun', sphere, { tolfun: 1e-7 }, 1e-7],
    ['tolfunhist', sphere, { tolfunhist: 1e-6 }, 1e-6],
    ['tolfunrel', sphere, { tolfunrel: 1e-3 }, 1e-3],
    ['tolx', sphere, { tolx: 1e-4 }, 1e-4],
    ['tolfacupx', downhill, { tolfacupx: 50 }, 50],
    ['tolupsigma', downhill, { tolupsigma: 1.5 }, 1.5],
    ['tolconditioncov', steep, { tolconditioncov: 1e4 }, 1e4],
    ['tolflatfitness', () => 7, { tolflatfitness: 2 }, 2],
    ['tolxstagnation', sphere, { tolxstagnation: [1e-6, 20, 0.1] }, 1e-6],
  ] satisfies [string, Objective, Partial<CmaOptions>, number][])('by %s alone', (name, objective, option, value) => {
    expect(run(objective, { ...quiet, ...option }).stop()).toEqual({ [name]: value });
  });

  it('when values are noise that never improves', () => {
    const noise = new Rng(3);
    const es = run(() => noise.uniform(), { ...quiet, tolstagnation: 100 }, 2);
    expect(es.stop()).toEqual({ tolstagnation: 100 });
    expect(es.iterations).toBeGreaterThan(500);
  });

  it('when the mean has grown too large for the steps, coordinate by coordinate and along axes', () => {
    const far = { ...quiet, x0: [1e18, 1e18, 1e18] };
    const stop = run(() => 1, far).stop();
    expect(stop).toMatchObject({ noeffectcoord: 0, noeffectaxis: 1 });
    expect(run(() => 1, { ...far, x0: [1, 1e18, 1] }).stop()).toMatchObject({ noeffectcoord: 1 });
  });

  it('with pycma’s defaults when it has converged', () => {
    const names = Object.keys(run(sphere, {}, 10).stop());
    expect(names.some((name) => ['tolfun', 'tolfunhist', 'tolx'].includes(name))).toBe(true);
    expect(names).not.toContain('maxiter');
  });

  it('with pycma’s defaults on a plain, without end downhill, and where nothing is a number', () => {
    expect(run(() => 3, {}).stop()).toEqual({ tolfun: 1e-11 });
    expect(run(downhill, {}).stop()).toEqual({ tolfacupx: 1000 });
    expect(run(() => NaN, {}).stop()).toEqual({ allnan: 10 });
  });

  it('when values are infinite, as on a plain', () => {
    expect(run(() => Infinity, {}).stop()).toEqual({ tolflatfitness: 1 });
    expect(run(() => -Infinity, { ftarget: 0 }).stop()).toMatchObject({ ftarget: 0 });
  });
});
