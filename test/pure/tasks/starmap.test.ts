import { beforeEach, describe, expect, it } from 'vitest';
import { argumentsOfCall, faultsOfCalls, findTaskType, needsOfCalls, type KwargsInput, type TaskType } from '#catalog';
import { limits, TabgridError, type Json } from '#protocol';
import { failureOf } from '../../../client/worker/execution/failure.ts';
import { faultOf, Workbench } from './context.ts';

let bench: Workbench;
beforeEach(async () => {
  bench = await Workbench.create();
});

const sphere = { evaluator: { kind: 'builtin' as const, name: 'sphere' } };
type Items = KwargsInput<'starmap'>['items'];

/** Evaluates candidates, one call for each item. */
const evaluate = (items: Items, star = false) =>
  bench.run('starmap', { task: 'evaluate_candidates', kwargs: sphere, star, items });

/** The values that such calls gave. */
const valuesOf = (results: unknown): unknown =>
  (results as { values: { y: number }[] }[]).map(({ values }) => values[0]?.y);

const search = (seed: number): Json => ({ seed });
const searches: KwargsInput<'starmap'> = {
  task: 'run_cmaes_optimization',
  kwargs: { objective: { suite: 'bbob', function: 8, instance: 1 }, dimension: 3, max_evaluations: 60 },
  star: true,
  items: [1, 2, 3].map(search),
};

describe('starmap', () => {
  it('calls with an item as the first argument, as all of them, or as keyword arguments beside the shared ones', async () => {
    expect(valuesOf(await evaluate([[[1, 2]], [[3, 4]]]))).toEqual([5, 25]);
    expect(valuesOf(await evaluate([[[[1, 2]]], { candidates: [[3, 4]] }], true))).toEqual([5, 25]);
    const item = { candidates: [[1]], evaluator: sphere.evaluator };
    expect(await faultOf(evaluate([item], true))).toBe(
      'invalid_arguments item 0: evaluator is given twice, also to all calls',
    );
    expect(await faultOf(evaluate([7], true))).toContain('item 0: evaluate_candidates: kwargs.candidates');
  });

  it('has the same results as its calls one by one', async () => {
    const results = await bench.run('starmap', searches);
    const single = await bench.run('run_cmaes_optimization', { ...searches.kwargs, seed: 2 } as never);
    expect((results as Json[])[1]).toEqual(single);
  });

  it('counts through a range and through a grid', async () => {
    const seeds = { ...searches, items: { grid: { popsize: [4, 6], seed: [1, 2] }, from: 1, to: 3 } };
    const [second, third] = (await bench.run('starmap', seeds)) as Json[];
    const alone = (popsize: number, seed: number) =>
      bench.run('run_cmaes_optimization', { ...searches.kwargs, popsize, seed } as never);
    expect([second, third]).toEqual([await alone(4, 2), await alone(6, 1)]);
    const counted = bench.run('starmap', { ...searches, star: false, items: { range: [7, 1, -3] } });
    expect(await faultOf(counted)).toContain('item 0: run_cmaes_optimization: kwargs.objective');
  });

  it('reads its part of a file of lines of JSON', async () => {
    bench.put('/d/points.ndjson', '[[1,2]]\n\n[[3,4]]\r\n[[5,6]]');
    expect(valuesOf(await evaluate({ file: '/d/points.ndjson', sha256: 'ff', from: 1, to: 3 }))).toEqual([25, 61]);
  });

  it('takes a row of a table as keyword arguments: numbers where a cell is one, nothing where it is empty', async () => {
    bench.put('/d/runs.csv', 'seed,popsize,restarts\n1,4,none\n2,,ipop\n');
    const results = await bench.run('starmap', {
      ...searches,
      items: { file: '/d/runs.csv', sha256: 'ff', from: 0, to: 2 },
    });
    const alone = (kwargs: object) => bench.run('run_cmaes_optimization', { ...searches.kwargs, ...kwargs } as never);
    expect(results).toEqual([
      await alone({ seed: 1, popsize: 4, restarts: 'none' }),
      await alone({ seed: 2, restarts: 'ipop' }),
    ]);
  });

  it('refuses lines that are no JSON, and a file with fewer items', async () => {
    bench.put('/d/broken.ndjson', '[[1]]\n[[2\n');
    const part = { file: '/d/broken.ndjson', sha256: 'ff', from: 0 };
    expect(await faultOf(evaluate({ ...part, to: 2 }))).toBe(
      'invalid_input /d/broken.ndjson, item 1: expected one JSON value on the line',
    );
    expect(await faultOf(evaluate({ ...part, to: 9 }))).toBe(
      'invalid_input /d/broken.ndjson: expected at least 9 items, it has 2',
    );
  });

  it('tells how far the call under way has come', async () => {
    await bench.run('starmap', { ...searches, items: [search(1), search(2)] });
    const told = bench.progress as { fraction: number; message: string }[];
    const fractions = told.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBeGreaterThan(0.9);
    expect(told[0]!.message).toMatch(/^item 1 of 2$/);
    expect(told[1]).toMatchObject({
      fraction: 7 / 120,
      message: expect.stringMatching(/^item 1 of 2: 7 evaluations, best /) as string,
    });
  });

  it('gives the same result wherever it was interrupted, within a call or between two', async () => {
    const whole = await bench.run('starmap', searches);
    bench.takesSnapshots = true;
    await bench.run('starmap', searches);
    const snapshots = [...bench.snapshots];
    bench.takesSnapshots = false;
    expect(snapshots.length).toBeGreaterThan(3 * 8);
    for (const snapshot of snapshots) expect(await bench.run('starmap', searches, snapshot)).toEqual(whole);
    bench.progress.length = 0;
    await bench.run('starmap', searches, snapshots.at(-1));
    expect(bench.progress.length).toBeLessThan(4);
  });

  it.each([[new Uint8Array(2)], [new Uint8Array(9).fill(255)]])(
    'begins anew from bytes that are no snapshot',
    async (bytes) => {
      expect(await bench.run('starmap', searches, bytes)).toEqual(await bench.run('starmap', searches));
    },
  );

  it('fails with the number, the code and the words of the call that failed, which a retry mends or not as that one', async () => {
    const items = {
      ...searches,
      kwargs: { dimension: 3, max_evaluations: 60 },
      items: [
        { objective: { builtin: 'sphere' } },
        { objective: { model_path: '/none.json', acquisition: { kind: 'mean' } } },
      ],
    };
    expect(await faultOf(bench.run('starmap', items as never))).toBe(
      'file_not_found item 1: /none.json does not exist',
    );
    expect(await faultOf(evaluate([[[1]], [[1], [2, 3]]]))).toBe(
      'invalid_input item 1: candidates[1]: expected 1 numbers, got 2',
    );
    bench.evaluators = { evaluate: () => Promise.reject(new Error('the rig is off')) };
    const named = { task: 'evaluate_candidates', star: false, kwargs: { evaluator: { kind: 'named', name: 'rig' } } };
    const pending = bench.run('starmap', { ...named, items: [[[1]]], first: 41 });
    const error: unknown = await pending.catch((fault: unknown) => fault);
    expect(error).toMatchObject({
      code: 'task_failed',
      message: 'item 41: Error: the rig is off',
      details: { index: 41 },
    });
    expect(failureOf(error)).toMatchObject({
      retryable: true,
      error: { traceback: expect.stringContaining('starmap.test') as unknown },
    });
  });

  it('hands over what is done before a failure that a retry may mend, and no other', async () => {
    const asked: number[] = [];
    let isBroken = true;
    bench.evaluators = {
      evaluate: async (_, candidate, index) => {
        asked.push(index);
        if (isBroken && (candidate as number[])[0] === 3) throw new Error('the rig is off');
        return { y: index };
      },
    };
    const named = { task: 'evaluate_candidates', star: false, kwargs: { evaluator: { kind: 'named', name: 'rig' } } };
    const array = { ...named, items: [[[1]], [[2]], [[3]], [[4]]] };
    expect(await faultOf(bench.run('starmap', array))).toBe('task_failed item 2: Error: the rig is off');
    expect(bench.snapshots).toHaveLength(1);
    isBroken = false;
    expect(valuesOf(await bench.run('starmap', array, bench.snapshots[0]))).toEqual([0, 1000, 2000, 3000]);
    expect(asked).toEqual([0, 1000, 2000, 2000, 3000]);
    await faultOf(evaluate([[[1]], [[1], [2, 3]]]));
    expect(bench.snapshots).toHaveLength(1);
  });

  it('asks named evaluators for candidates with numbers that no two calls share', async () => {
    const asked: number[] = [];
    bench.evaluators = {
      evaluate: async (_, __, index) => {
        asked.push(index);
        return { y: index };
      },
    };
    const kwargs = { evaluator: { kind: 'named', name: 'rig' } };
    await bench.run('starmap', { task: 'evaluate_candidates', star: false, kwargs, items: [[[1], [2]], [[3]]] });
    expect(asked).toEqual([0, 1, 1000]);
  });

  it('stops between two calls when it is stopped or its soft limit is over', async () => {
    let steps = 0;
    bench.betweenSteps = () => {
      if (++steps === 2) bench.soft.abort(new TabgridError('soft_time_limit_exceeded', 'over'));
    };
    expect(await faultOf(evaluate([[[1]], [[2]], [[3]]]))).toBe('soft_time_limit_exceeded over');
    bench = await Workbench.create();
    bench.betweenSteps = () => bench.stop.abort(new TabgridError('revoked', 'stopped'));
    expect(await faultOf(bench.run('starmap', searches))).toBe('revoked stopped');
  });

  it('stores what each call stores under a name of its own', async () => {
    const rows = Array.from({ length: 8 }, (_, k) => [k, 2 * k]);
    const kwargs = { rows, inputs: ['x'], targets: ['y'], hidden: [2], members: 1, epochs: 1, validation_fraction: 0 };
    const items = [{ seed: 1 }, { seed: 2 }];
    const results = await bench.run('starmap', { task: 'train_surrogate', kwargs, star: true, items });
    const paths = (results as { model_path: string }[]).map(({ model_path }) => model_path);
    expect(new Set(paths).size).toBe(2);
    expect(paths.every((path) => bench.files.has(path))).toBe(true);
  });

  it('puts results into a file that are too large for a task', async () => {
    const candidates = Array.from({ length: 1000 }, (_, k) => [k, 0.123456789]);
    const items = Array.from({ length: 60 }, () => candidates);
    expect(await evaluate(items)).toEqual({ file: '/results/0-01000000000000000000000000.json' });
    const stored = bench.read('/results/0-01000000000000000000000000.json');
    expect(stored.length).toBeGreaterThan(limits.maxResultBytes);
    const results = JSON.parse(new TextDecoder().decode(stored)) as Json[];
    expect(results).toHaveLength(60);
    const kwargs = {
      task: 'evaluate_candidates',
      kwargs: sphere,
      star: false,
      items,
      result_path: '/results/here.json',
    };
    expect(await bench.run('starmap', kwargs)).toEqual({ file: '/results/here.json' });
  });
});

describe('an array of calls', () => {
  const type = (name: string): TaskType => findTaskType(name)!;
  const faults = (name: string, kwargs: object = {}, star = true) =>
    faultsOfCalls(type(name), { star, kwargs: kwargs as Record<string, Json> });

  it('is one of tasks that workers run, and whose shared arguments can be right', () => {
    expect(faults('evaluate_candidates', sphere)).toEqual([]);
    expect(faults('ping')).toEqual([]);
    for (const name of ['starmap', 'run_workflow', 'run_campaign', 'export_results']) {
      expect(faults(name)).toEqual([
        { path: 'task', message: `expected a task type that workers run, which ${name} is not` },
      ]);
    }
    expect(faults('ping', {}, false)[0]!.path).toBe('task');
    expect(
      faults('run_cmaes_optimization', { dimension: 0, nonsense: 1 })
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['kwargs.dimension', 'kwargs.nonsense']);
  });

  it('goes to workers that have what all calls need, and refuses a call that needs more', () => {
    const calls = { star: true, kwargs: { evaluator: { kind: 'named', name: 'rig' } } };
    const evaluateType = type('evaluate_candidates');
    expect(needsOfCalls(evaluateType, calls)).toEqual(['evaluate_candidates', 'evaluator:rig']);
    expect(argumentsOfCall(evaluateType, calls, [[[1]]])).toMatchObject({
      candidates: [[1]],
      evaluator: { name: 'rig' },
    });
    const shifted = { star: true, kwargs: {} };
    expect(needsOfCalls(evaluateType, shifted)).toEqual(['evaluate_candidates']);
    expect(() => argumentsOfCall(evaluateType, shifted, [[[1]], { kind: 'named', name: 'rig' }])).toThrow(
      /evaluator:rig must be among the arguments that all calls share/,
    );
  });
});
