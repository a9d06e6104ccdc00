import { beforeEach, describe, expect, it } from 'vitest';
import { faultOf, Workbench } from './context.ts';

let bench: Workbench;
beforeEach(async () => {
  bench = await Workbench.create();
});

/** A model of y = −(a − 2)² − (b − 3)², z = a, on a grid of 0 … 5 (z only where asked for). */
async function trainModel(path: string, targets = ['y'], changes: object = {}): Promise<void> {
  const rows = Array.from({ length: 36 }, (_, i) => [i % 6, Math.floor(i / 6)]).map(([a = 0, b = 0]) => {
    const row: Record<string, number> = { a, b, y: -(a - 2) * (a - 2) - (b - 3) * (b - 3), z: a };
    return row;
  });
  await bench.run('train_surrogate', {
    rows,
    inputs: ['a', 'b'],
    targets,
    hidden: [32, 32],
    epochs: 300,
    learning_rate: 0.01,
    members: 3,
    validation_fraction: 0,
    seed: 1,
    model_path: path,
    ...changes,
  });
}

describe('run_cmaes_optimization', () => {
  it.each(['none', 'ipop', 'bipop'] as const)(
    'finds the minimum of a test function with restarts %s',
    async (restarts) => {
      const result = await bench.run('run_cmaes_optimization', {
        objective: { builtin: 'sphere' },
        dimension: 5,
        restarts,
        target: 1e-8,
        max_evaluations: 20_000,
        seed: 1,
      });
      expect(result.fun).toBeLessThanOrEqual(1e-8);
      expect(result.stop).toHaveProperty('ftarget');
      expect(result.x).toHaveLength(5);
      expect(bench.progress.length).toBe(result.iterations);
    },
  );

  it('stays within bounds and budget', async () => {
    const result = await bench.run('run_cmaes_optimization', {
      objective: { suite: 'bbob', function: 8, instance: 1 },
      dimension: 2,
      bounds: [-1, [0, 0.5]],
      max_evaluations: 100,
    });
    expect(result.evaluations).toBeLessThanOrEqual(100);
    expect(result.x[0]).toBeGreaterThanOrEqual(-1);
    expect(result.x[0]).toBeLessThanOrEqual(0);
    expect(result.x[1]).toBeLessThanOrEqual(0.5);
  });

  it('goes on from any of its snapshots to the same result', async () => {
    const kwargs = {
      objective: { builtin: 'rastrigin' },
      dimension: 3,
      restarts: 'bipop' as const,
      max_evaluations: 1500,
      seed: 4,
    };
    bench.takesSnapshots = true;
    const whole = await bench.run('run_cmaes_optimization', kwargs);
    for (const snapshot of bench.snapshots.filter((_, k) => k % 17 === 0)) {
      expect(await bench.run('run_cmaes_optimization', kwargs, snapshot)).toEqual(whole);
    }
  });

  it('takes pycma’s options by name, and refuses others', async () => {
    const run = (options: Record<string, number | boolean>) =>
      bench.run('run_cmaes_optimization', { objective: { builtin: 'sphere' }, dimension: 2, options });
    expect((await run({ maxiter: 7 })).iterations).toBe(7);
    expect(await faultOf(run({ maxitre: 7 }))).toContain(
      'invalid_input options.maxitre: expected one of BoundaryHandler',
    );
    expect(await faultOf(run({ tolfun: -1 }))).toMatch(/^invalid_input tolfun/);
  });

  it('takes options that are lists, names, matrices or values by index', async () => {
    const run = (options: Record<string, unknown>) =>
      bench.run('run_cmaes_optimization', {
        ...{ objective: { builtin: 'sphere' }, dimension: 3, bounds: [-3, 4], sigma0: 1, max_evaluations: 600 },
        options: options as Record<string, number>,
      });
    const mixed = await run({ integer_variables: [2], fixed_variables: { 0: 1.5 }, BoundaryHandler: 'BoundPenalty' });
    expect(mixed.x[0]).toBe(1.5);
    expect(mixed.x[2]).toBe(0);
    expect(mixed.fun).toBeCloseTo(2.25, 6);
    const cov = [1, 2, 3].map((a, i) => [1, 2, 3].map((_, j) => (i === j ? a : 0.5)));
    expect((await run({ CMA_elitist: 'initial', cov, CMA_stds: [1, 2, 1], CMA_mirrors: 2 })).fun).toBeLessThan(1e-6);
    expect(await faultOf(run({ BoundaryHandler: 'BoundNone' }))).toContain('invalid_input BoundaryHandler');
    expect(await faultOf(run({ integer_variables: [3] }))).toContain('invalid_input integer_variables[0]');
    expect(await faultOf(run({ CMA_elitist: [1] }))).toContain('invalid_input CMA_elitist');
    const whole = { objective: { builtin: 'sphere' }, dimension: 2, options: { CMA_stds: [1, 2] } };
    expect(await faultOf(bench.run('run_cmaes_optimization', whole as never))).toContain(
      'options.CMA_stds: expected sigma0',
    );
  });

  it.each([
    [{ bounds: [1, 0] }, 'bounds[1][0]: expected a number above 1'],
    [{ bounds: [[0], 1] }, 'bounds[0]: expected one number or 2'],
    [{ x0: [1] }, 'x0'],
    [{ objective: { builtin: 'mystery' } }, 'name: expected one of sphere'],
    [{ objective: { model_path: '/none.json', acquisition: { kind: 'ucb' } } }, '/none.json does not exist'],
  ])('refuses %j', async (changes, words) => {
    const kwargs = { objective: { builtin: 'sphere' }, dimension: 2, ...changes } as never;
    expect(await faultOf(bench.run('run_cmaes_optimization', kwargs))).toContain(words);
  });

  it('maximises an acquisition over a model, and says what the model predicts there', async () => {
    await trainModel('/m.json');
    const search = (objective: object) =>
      bench.run('run_cmaes_optimization', {
        objective: { model_path: '/m.json', acquisition: { kind: 'mean' }, goal: 'max', ...objective } as never,
        dimension: 2,
        bounds: [0, 5],
        max_evaluations: 1500,
        seed: 2,
      });
    const { x, fun, prediction } = await search({});
    expect(x[0]).toBeCloseTo(2, 0);
    expect(x[1]).toBeCloseTo(3, 0);
    expect(prediction?.mean[0]).toBe(-fun);
    const least = await search({ goal: 'min' });
    expect(least.prediction?.mean[0]).toBeLessThan(-10);
    const whole = await search({ integers: [0, 1] });
    expect(whole.x).toEqual([2, 3]);
    const shunned = await search({ integers: [0, 1], pending: [[2, 3]] });
    expect(shunned.x).not.toEqual([2, 3]);
    expect((await search({ acquisition: { kind: 'thompson' } })).prediction?.std[0]).toBeGreaterThan(0);
  });

  it('proposes nothing where everything has been tried', async () => {
    await trainModel('/m.json');
    const everything = [0, 1].flatMap((a) => [0, 1].map((b) => [a, b]));
    const result = await bench.run('run_cmaes_optimization', {
      objective: { model_path: '/m.json', acquisition: { kind: 'ucb' }, integers: [0, 1], pending: everything },
      dimension: 2,
      bounds: [0, 1],
      max_evaluations: 200,
    });
    expect(result.fun).toBe(Number.MAX_VALUE);
    expect(result.stop).toHaveProperty('allnan');
  });

  it('takes a model of several outputs with a scalarization only', async () => {
    await trainModel('/m.json', ['y', 'z']);
    const objective = { model_path: '/m.json', acquisition: { kind: 'mean' as const } };
    const scalarization = { goals: ['max' as const, 'max' as const], ideal: [0, 5], nadir: [-20, 0] };
    const search = (extra: object) =>
      bench.run('run_cmaes_optimization', {
        objective: { ...objective, ...extra },
        dimension: 2,
        bounds: [0, 5],
        max_evaluations: 1000,
      });
    expect(await faultOf(search({}))).toContain('scalarization: expected one for a model of 2 outputs');
    const forY = await search({ scalarization: { ...scalarization, weights: [1, 0] } });
    const forZ = await search({ scalarization: { ...scalarization, weights: [0, 1] } });
    expect(forY.x[0]).toBeLessThan(3);
    expect(forZ.x[0]).toBeGreaterThan(4);
    expect(forZ.prediction?.mean).toHaveLength(2);
  });

  it('names a model file that is none, or does not fit', async () => {
    bench.put('/m.json', '{"format":"other"}');
    const run = () =>
      bench.run('run_cmaes_optimization', {
        objective: { model_path: '/m.json', acquisition: { kind: 'ucb' } },
        dimension: 3,
      });
    expect(await faultOf(run())).toBe(
      'invalid_input /m.json: format: expected one of tabgrid-ensemble, tabgrid-surrogate, got "other".',
    );
    await trainModel('/m.json');
    expect(await faultOf(run())).toBe('invalid_input dimension: expected the model’s 2');
  });
});

describe('score_candidates', () => {
  const pool = ['a,b', ...Array.from({ length: 36 }, (_, i) => `${i % 6},${Math.floor(i / 6)}`)].join('\n');
  const best = 3 * 6 + 2;

  beforeEach(async () => {
    bench.put('/pool.csv', pool);
    await trainModel('/m.json');
  });

  const score = (changes: object = {}) =>
    bench.run('score_candidates', {
      model_path: '/m.json',
      pool: '/pool.csv',
      inputs: ['a', 'b'],
      acquisition: { kind: 'mean' },
      goal: 'max',
      count: 1,
      ...changes,
    });

  it('picks the best row that has not been tried', async () => {
    const [first] = (await score()).proposals;
    expect(first).toMatchObject({ row: best, inputs: [2, 3] });
    expect(first?.score).toBe(first?.mean);
    expect((await score({ exclude: [best] })).proposals[0]?.row).not.toBe(best);
    expect((await score({ goal: 'min' })).proposals[0]?.inputs).toEqual([5, 0]);
  });

  it('takes equal rows as one design', async () => {
    bench.put('/pool.csv', `${pool}\n2,3\n`);
    expect((await score()).proposals[0]?.row).toBe(best);
    expect((await score({ exclude: [36] })).proposals[0]?.row).not.toBe(best);
  });

  it('gives as many as are asked for, or as there are, each once', async () => {
    const rowsOf = async (changes: object) => (await score(changes)).proposals.map(({ row }) => row);
    expect(new Set(await rowsOf({ count: 10 })).size).toBe(10);
    const exclude = Array.from({ length: 34 }, (_, row) => row);
    expect((await rowsOf({ count: 10, exclude })).sort()).toEqual([34, 35]);
    expect(await rowsOf({ count: 1, exclude: [...exclude, 34, 35] })).toEqual([]);
  });

  it('spreads a batch: what is picked is no longer worth exploring', async () => {
    const acquisition = { kind: 'ucb', kappa: 100 };
    const { proposals } = await score({ acquisition, count: 2 });
    const [first, second] = proposals.map(({ inputs }) => inputs);
    const distance = Math.abs(first![0]! - second![0]!) + Math.abs(first![1]! - second![1]!);
    expect(distance).toBeGreaterThan(1);
    const pending = [first!];
    expect((await score({ acquisition, pending })).proposals[0]?.inputs).not.toEqual(first);
  });

  it('takes several files as one ensemble', async () => {
    const seeds = [1, 2].map((seed) => trainModel(`/${seed}.json`, ['y'], { seed, members: 1 }));
    await Promise.all(seeds);
    const { proposals } = await score({ model_path: ['/1.json', '/2.json'], acquisition: { kind: 'ucb' } });
    expect(proposals[0]?.std).toBeGreaterThan(0);
    await trainModel('/2.json', ['z']);
    expect(await faultOf(score({ model_path: ['/1.json', '/2.json'] }))).toBe(
      'invalid_input /2.json: expected the inputs and targets of /1.json',
    );
  });

  it('draws another member for each proposal of thompson', async () => {
    const { proposals } = await score({ acquisition: { kind: 'thompson' }, count: 3, seed: 2 });
    expect(new Set(proposals.map(({ row }) => row)).size).toBe(3);
  });

  it.each([
    [{ inputs: ['b', 'a'] }, 'inputs: expected the model’s inputs, a, b'],
    [{ pool: '/none.csv' }, '/none.csv does not exist'],
    [{ acquisition: { kind: 'ei' } }, 'best: expected a finite number'],
    [{ pending: [[1]] }, 'pending[0]: expected 2 numbers'],
  ])('refuses %j', async (changes, words) => {
    expect(await faultOf(score(changes))).toContain(words);
  });
});
