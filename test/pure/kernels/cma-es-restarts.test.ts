import { describe, expect, it } from 'vitest';
import { RestartedCmaEs } from '../../../kernels/cma-es/index.ts';
import type { CmaOptions, RestartOptions } from '../../../kernels/cma-es/index.ts';
import { KernelInputError } from '../../../kernels/index.ts';
import { kernelModule } from './load.ts';

const module = await kernelModule();

const TWO_PI = 2 * Math.PI;
const rastrigin = (x: Float64Array): number =>
  x.reduce((sum, value) => sum + value * value + 10 - 10 * Math.cos(TWO_PI * value), 0);

function start(dimension: number, options: Partial<CmaOptions> = {}): CmaOptions {
  return { dimension, x0: new Array<number>(dimension).fill(3), sigma0: 2, seed: 1, ...options };
}

function step(es: RestartedCmaEs, objective = rastrigin): void {
  const d = es.dimension;
  const population = es.ask();
  es.tell(Array.from({ length: es.popsize }, (_, k) => objective(population.subarray(k * d, (k + 1) * d))));
}

const ended = (es: RestartedCmaEs): boolean => Object.keys(es.stop()).length > 0;

function search(options: CmaOptions, restart: RestartOptions, objective = rastrigin): RestartedCmaEs {
  const es = RestartedCmaEs.create(module, options, restart);
  while (!ended(es)) step(es, objective);
  return es;
}

function refusal(act: () => unknown): KernelInputError {
  try {
    act();
  } catch (error) {
    if (error instanceof KernelInputError) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

describe('IPOP', () => {
  it('doubles the population from run to run until the target is met', () => {
    const es = search(start(5), { restarts: 'ipop', maxEvaluations: 200_000, target: 1e-8 });
    expect(es.stop()).toEqual({ ftarget: 1e-8 });
    expect(es.best.fun).toBeLessThanOrEqual(1e-8);
    expect(es.runs.map((run) => run.popsize)).toEqual(es.runs.map((_, k) => 8 * 2 ** k));
    expect(es.runs.map((run) => run.regime)).toEqual(es.runs.map((_, k) => (k === 0 ? 'first' : 'large')));
    expect(es.restartCount).toBe(es.runs.length - 1);
    expect(es.evaluations).toBe(es.runs.reduce((sum, run) => sum + run.evaluations, 0));
    expect(es.iterations).toBe(es.runs.reduce((sum, run) => sum + run.iterations, 0));
  });

  it('ends after the last doubling', () => {
    const es = search(start(2), { restarts: 'ipop', maxEvaluations: 1e6, maxRestarts: 2 }, (x) => rastrigin(x) + 1);
    expect(es.stop()).toEqual({ maxrestarts: 2 });
    expect(es.runs.map((run) => run.popsize)).toEqual([6, 12, 24]);
    expect(refusal(() => es.ask()).field).toBe('ask');
  });

  it.each([
    { name: 'the bounds', restartFrom: 'bounds' as const, lower: [-4, -5], upper: [-1, 9] },
    { name: 'a box', restartFrom: { lower: [-3, 0], upper: [-1.5, 2.5] }, lower: [-3, 0], upper: [-1.5, 2.5] },
  ])('begins anywhere within $name when told so', ({ restartFrom, lower, upper }) => {
    const bounds = { lower: [-4, -5], upper: [-1, 9] };
    const options = start(2, { x0: [-2, 2], sigma0: 1e-9, bounds, tolfacupx: 2 });
    const es = RestartedCmaEs.create(module, options, { restarts: 'ipop', maxEvaluations: 10_000, restartFrom });
    const means: number[][] = [];
    while (means.length < 4) {
      if (es.restartCount === means.length) means.push([...es.mean]);
      step(es);
    }
    expect(means[0]).toEqual([-2, 2]);
    expect(new Set(means.map((mean) => mean.join())).size).toBe(4);
    expect(means.every((mean) => mean.every((x, i) => x >= lower[i]! && x <= upper[i]!))).toBe(true);
  });
});

describe('BIPOP', () => {
  const es = search(start(3), { restarts: 'bipop', maxEvaluations: 60_000 }, (x) => rastrigin(x) + 1);

  it('gives both regimes the same budget', () => {
    let small = 0;
    let large = 0;
    es.runs.forEach((run, k) => {
      const turn = k === 0 ? 'first' : small < large ? 'small' : 'large';
      expect(run.regime).toBe(turn);
      if (run.regime === 'large') large += run.evaluations;
      else small += run.evaluations;
    });
    expect(es.runs.some((run) => run.regime === 'small')).toBe(true);
  });

  it('doubles large populations and keeps small ones below the last large one', () => {
    const large = es.runs.filter((run) => run.regime === 'large');
    expect(large.map((run) => run.popsize)).toEqual(large.map((_, k) => 7 * 2 ** (k + 1)));
    let last = 7;
    let spent = 0;
    for (const run of es.runs) {
      if (run.regime === 'small') {
        expect(run.popsize).toBeGreaterThanOrEqual(7);
        expect(run.popsize).toBeLessThanOrEqual(last);
        expect(run.evaluations).toBeLessThan(spent / 2 + run.popsize);
      }
      if (run.regime !== 'large') continue;
      last = run.popsize;
      spent += run.evaluations;
    }
  });

  it('spends its budget and no more', () => {
    expect(es.stop()).toEqual({ maxfevals: 60_000 });
    expect(es.evaluations).toBeLessThanOrEqual(60_000);
    expect(es.best.evaluations).toBeLessThanOrEqual(es.evaluations);
  });
});

describe('a sequence of runs', () => {
  it('of one run ends as the run does', () => {
    const es = search(start(3), { restarts: 'none', maxEvaluations: 1e6 });
    expect(Object.keys(es.stop())).toContain('tolfun');
    expect(es.restartCount).toBe(0);
    expect(es.stop()).toEqual(es.runs[0]!.stop);
  });

  it('remembers the best of all runs', () => {
    const es = RestartedCmaEs.create(module, start(3), { restarts: 'bipop', maxEvaluations: 20_000 });
    let least = Infinity;
    while (!ended(es)) {
      step(es, (x) => {
        const value = rastrigin(x);
        least = Math.min(least, value);
        return value;
      });
      expect(es.best.fun).toBe(least);
      expect(rastrigin(es.best.x)).toBe(least);
    }
  });

  it.each(['ipop', 'bipop'] as const)('continues bit for bit across restarts (%s)', (restarts) => {
    const restart = { restarts, maxEvaluations: 9000, restartFrom: 'bounds' as const };
    const options = start(2, { bounds: { lower: -5, upper: 5 } });
    const whole = search(options, restart);
    let es = RestartedCmaEs.create(module, options, restart);
    while (!ended(es)) {
      es = RestartedCmaEs.resume(module, es.snapshot());
      const population = es.ask();
      es = RestartedCmaEs.resume(module, es.snapshot());
      expect(es.ask()).toEqual(population);
      step(es);
    }
    expect(es.runs.length).toBeGreaterThan(3);
    expect(RestartedCmaEs.resume(module, es.snapshot()).snapshot()).toEqual(whole.snapshot());
    expect(es.runs).toEqual(whole.runs);
  });

  it('goes on when nothing was a number in one run', () => {
    const es = RestartedCmaEs.create(module, start(2), { restarts: 'ipop', maxEvaluations: 5000, target: 1e-8 });
    while (es.restartCount === 0) step(es, () => NaN);
    expect(es.runs[0]).toMatchObject({ fun: Infinity, stop: { allnan: 10 } });
    const resumed = RestartedCmaEs.resume(module, es.snapshot());
    expect(resumed.runs).toEqual(es.runs);
    while (!ended(resumed)) step(resumed);
    expect(resumed.best.fun).toBeLessThanOrEqual(1e-8);
  });

  it.each([
    ['restarts', { restarts: 'often' as 'ipop' }],
    ['maxEvaluations', { maxEvaluations: 0 }],
    ['maxEvaluations', { maxEvaluations: NaN }],
    ['target', { target: NaN }],
    ['maxRestarts', { maxRestarts: 31 }],
    ['restartFrom', { restartFrom: 'anywhere' as 'x0' }],
    ['bounds.lower[0]', { restartFrom: 'bounds' as const }],
    ['restartFrom.lower', { restartFrom: { lower: [1], upper: 2 } }],
    ['restartFrom.upper[1]', { restartFrom: { lower: 1, upper: [2, null] } }],
    ['restartFrom.upper[0]', { restartFrom: { lower: 1, upper: 0 } }],
    ['budget', { budget: 3 } as Partial<RestartOptions>],
  ])('refuses a fault in %s by name', (field, fault) => {
    const restart: RestartOptions = { restarts: 'ipop', maxEvaluations: 100, ...fault };
    expect(refusal(() => RestartedCmaEs.create(module, start(2), restart)).field).toBe(field);
  });

  it('refuses a damaged snapshot', () => {
    const es = RestartedCmaEs.create(module, start(2), { restarts: 'ipop', maxEvaluations: 100 });
    expect(refusal(() => RestartedCmaEs.resume(module, es.snapshot().subarray(8))).field).toBe('snapshot');
    const text = new TextDecoder('latin1').decode(es.snapshot());
    for (const [name, from, to] of [
      ['rng', '"rng":{', '"rnd":{'],
      ['regime', '"first"', '"fifth"'],
      ['runs', '"runs":[]', '"runs":{}'],
    ] as const) {
      const altered = Uint8Array.from(text.replace(from, to), (character) => character.charCodeAt(0));
      expect(refusal(() => RestartedCmaEs.resume(module, altered)).field).toBe(`snapshot.${name}`);
    }
  });
});

describe('a run that is behind', () => {
  /** Two basins; the one on the left is better by 1. */
  const basins = (x: Float64Array): number => Math.min((x[0]! + 3) ** 2, (x[0]! - 3) ** 2 + 1) + x[1]! ** 2;

  function searched(tolbehind: number): RestartedCmaEs {
    const options = { dimension: 2, x0: [-3, 0], sigma0: 0.5, seed: 3 };
    const from = { lower: [2, -1], upper: [4, 1] };
    const restart = { restarts: 'ipop', maxEvaluations: 6000, maxRestarts: 2, restartFrom: from, tolbehind } as const;
    const es = RestartedCmaEs.create(module, options, restart);
    while (Object.keys(es.stop()).length === 0) {
      const population = es.ask();
      es.tell(Array.from({ length: es.popsize }, (_, k) => basins(population.subarray(2 * k, 2 * k + 2))));
    }
    return es;
  }

  it('stops when its values tell that it converges to something worse', () => {
    const [, second] = searched(0.5).runs;
    expect(second!.stop).toEqual({ tolbehind: 0.5 });
    const [, patient] = searched(0).runs;
    expect(patient!.stop).not.toHaveProperty('tolbehind');
    expect(second!.evaluations).toBeLessThan(0.6 * patient!.evaluations);
  });
});
