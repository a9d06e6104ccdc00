import { beforeEach, describe, expect, it } from 'vitest';
import { tasksThatRunOn } from '#catalog';
import { TabgridError } from '#protocol';
import { bodies } from '../../../client/worker/tasks/index.ts';
import { faultOf, Workbench } from './context.ts';

let bench: Workbench;
beforeEach(async () => {
  bench = await Workbench.create();
});

describe('the bodies', () => {
  it('are those of all task types that a tab or a Node worker runs', () => {
    const expected = new Set([...tasksThatRunOn('tab'), ...tasksThatRunOn('node')]);
    expect(Object.keys(bodies).sort()).toEqual([...expected].sort());
  });

  it('answer a ping with the worker’s name', async () => {
    expect(await bench.run('ping', {})).toEqual({ status: 'pong', worker: 'bench' });
  });
});

describe('evaluate_candidates by a built-in function', () => {
  const sphere = { kind: 'builtin' as const, name: 'sphere' };

  it('takes candidates as rows or by name', async () => {
    const candidates = [[0, 0], { a: 3, b: 4 }];
    const { values, failed } = await bench.run('evaluate_candidates', {
      candidates: [candidates[1] as { a: number }],
      evaluator: sphere,
    });
    expect({ values, failed }).toEqual({ values: [{ y: 25 }], failed: [] });
    const rows = await bench.run('evaluate_candidates', {
      candidates: [
        [0, 0],
        [1, 2],
      ],
      evaluator: sphere,
    });
    expect(rows.values).toEqual([{ y: 0 }, { y: 5 }]);
  });

  it('names the objective as asked for', async () => {
    const kwargs = { candidates: [[1, 1]], evaluator: sphere, objectives: ['cost'] };
    expect((await bench.run('evaluate_candidates', kwargs)).values).toEqual([{ cost: 2 }]);
  });

  it('knows BBOB', async () => {
    const evaluator = { kind: 'builtin' as const, suite: 'bbob' as const, function: 1, instance: 1 };
    const { values } = await bench.run('evaluate_candidates', { candidates: [[0, 0]], evaluator });
    expect(values[0]!.y).toBeCloseTo(80.88209408, 6);
  });

  it.each([
    [[[1, 2], [1]], 'candidates[1]: expected 2 numbers, got 1'],
    [[{ a: 1 }, { b: 1 }], 'candidates[1].b: expected only a'],
  ])('refuses %j', async (candidates, words) => {
    expect(await faultOf(bench.run('evaluate_candidates', { candidates, evaluator: sphere }))).toContain(words);
  });

  it('refuses several objectives and unknown functions', async () => {
    const run = (changes: object) =>
      faultOf(bench.run('evaluate_candidates', { candidates: [[1, 2]], evaluator: sphere, ...changes }));
    expect(await run({ objectives: ['a', 'b'] })).toContain('objectives: expected one');
    expect(await run({ evaluator: { kind: 'builtin', name: 'mystery' } })).toMatch(/^invalid_input name/);
  });
});

describe('evaluate_candidates by a table', () => {
  beforeEach(() => {
    bench.put('/t.csv', 'a,b,y,z\n1,2,10,0\n1,2,20,1\n3,4,5,5\n');
  });
  const evaluator = { kind: 'table' as const, path: '/t.csv' };

  it('averages rows with equal inputs, and fails candidates that it does not have', async () => {
    const candidates = [
      { b: 2, a: 1 },
      { a: 9, b: 9 },
      { a: 3, b: 4 },
    ];
    expect(await bench.run('evaluate_candidates', { candidates, evaluator })).toEqual({
      values: [{ y: 15, z: 0.5 }, null, { y: 5, z: 5 }],
      failed: [{ index: 1, error: '/t.csv has no row with b = 9, a = 9' }],
    });
  });

  it('takes rows in the order of the columns, or of the names given', async () => {
    const objectives = ['y'];
    const inOrder = await bench.run('evaluate_candidates', { candidates: [[1, 2]], evaluator, objectives });
    expect(inOrder.values).toEqual([{ y: 15 }]);
    const named = { candidates: [[2, 1]], evaluator, objectives, inputs: ['b', 'a'] };
    expect((await bench.run('evaluate_candidates', named)).values).toEqual([{ y: 15 }]);
  });

  it.each([
    [{ objectives: ['q'] }, '/t.csv: column "q": expected one of'],
    [{ candidates: [{ a: 1, q: 1 }] }, '/t.csv: column "q": expected one of'],
    [{ candidates: [[1, 2, 3, 4]] }, '/t.csv: no column is left for the objectives'],
    [{ evaluator: { kind: 'table', path: '/none.csv' } }, '/none.csv does not exist'],
    [{ candidates: [[1, 2]], inputs: ['a', 'b', 'z'] }, 'candidates[0]: expected 3 numbers (a, b, z), got 2'],
  ])('refuses %j', async (changes, words) => {
    const kwargs = { candidates: [[1, 2]], evaluator, ...changes } as never;
    expect(await faultOf(bench.run('evaluate_candidates', kwargs))).toContain(words);
  });

  it('names the cell that is no number', async () => {
    bench.put('/t.csv', 'a,y\n1,2\n2,\n');
    const fault = await faultOf(bench.run('evaluate_candidates', { candidates: [[1]], evaluator }));
    expect(fault).toBe('invalid_input /t.csv: row 3, column "y": expected a finite number, got "".');
  });
});

describe('evaluate_candidates by a model', () => {
  const evaluator = { kind: 'model' as const, model_path: '/m.json' };
  beforeEach(async () => {
    const rows = Array.from({ length: 20 }, (_, a) => [a, -a, 2 * a, 1]);
    await bench.run('train_surrogate', {
      rows,
      inputs: ['a', 'b'],
      targets: ['y', 'z'],
      hidden: [16],
      epochs: 200,
      learning_rate: 0.01,
      members: 2,
      model_path: '/m.json',
    });
  });

  it('gives mean predictions, whatever the order of names', async () => {
    const one = await bench.run('evaluate_candidates', { candidates: [[4, -4]], evaluator, objectives: ['y'] });
    expect(one.values[0]!.y).toBeCloseTo(8, 0);
    const other = await bench.run('evaluate_candidates', { candidates: [{ b: -4, a: 4 }], evaluator });
    expect(other.values[0]).toEqual({ ...one.values[0], z: expect.closeTo(1, 1) });
  });

  it.each([
    [{ objectives: ['q'] }, 'objectives[0]: expected one of the model’s targets, y, z'],
    [{ inputs: ['a', 'q'] }, 'inputs: expected "b" among them'],
    [{ candidates: [[1]] }, 'candidates[0]: expected 2 numbers (a, b), got 1'],
  ])('refuses %j', async (changes, words) => {
    const kwargs = { candidates: [[1, 2]], evaluator, ...changes };
    expect(await faultOf(bench.run('evaluate_candidates', kwargs))).toContain(words);
  });
});

describe('evaluate_candidates by a named evaluator', () => {
  const evaluator = { kind: 'named' as const, name: 'sim' };
  const candidates = [[1], [2], [3]];

  it('is refused where none can run', async () => {
    expect(await faultOf(bench.run('evaluate_candidates', { candidates, evaluator }))).toMatch(
      /^evaluator_not_allowed /,
    );
  });

  it('asks for one candidate after the other, by name, and fails only those that fail', async () => {
    const asked: unknown[] = [];
    bench.evaluators = {
      async evaluate(name, candidate, index, tell) {
        asked.push([name, candidate, index]);
        tell?.(0.5);
        if (index === 1) throw new TabgridError('evaluator_failed', 'exit 1');
        return { y: index, extra: 7 };
      },
    };
    const result = await bench.run('evaluate_candidates', {
      candidates,
      evaluator,
      inputs: ['a'],
      objectives: ['cost'],
    });
    expect(result).toEqual({
      values: [{ cost: 0 }, null, { cost: 2 }],
      failed: [{ index: 1, error: 'evaluator_failed: exit 1' }],
    });
    expect(asked[0]).toEqual(['sim', { a: 1 }, 0]);
    expect(bench.progress).toContainEqual({ fraction: 0.5, message: 'candidate 2 of 3' });
  });

  it('asks for nothing twice when it goes on from a snapshot', async () => {
    const asked: number[] = [];
    bench.evaluators = {
      async evaluate(_, __, index) {
        asked.push(index);
        return { y: index };
      },
    };
    bench.takesSnapshots = true;
    const kwargs = { candidates, evaluator };
    const whole = await bench.run('evaluate_candidates', kwargs);
    const [afterFirst] = bench.snapshots;
    expect(await bench.run('evaluate_candidates', kwargs, afterFirst)).toEqual(whole);
    expect(asked).toEqual([0, 1, 2, 1, 2]);
  });

  it('ends as a whole when the evaluator is not the worker’s', async () => {
    bench.evaluators = {
      async evaluate() {
        throw new TabgridError('evaluator_not_allowed', 'no such evaluator');
      },
    };
    const fault = await faultOf(bench.run('evaluate_candidates', { candidates, evaluator }));
    expect(fault).toBe('evaluator_not_allowed no such evaluator');
  });
});

describe('compute_pareto_front', () => {
  it('ranks points, up to the worst values when no reference is given', async () => {
    const points = [
      [1, 5],
      [2, 3],
      [4, 1],
      [4, 4],
      [5, 5],
    ];
    const result = await bench.run('compute_pareto_front', { points, directions: ['min', 'min'] });
    expect(result).toEqual({
      front: [0, 1, 2],
      ranks: [0, 0, 0, 1, 2],
      crowding: [null, 2, null, null, null],
      hypervolume: 8,
      contributions: [0, 4, 2, 0, 0],
    });
    const given = await bench.run('compute_pareto_front', {
      points: [[1], [3]],
      directions: ['max'],
      reference: [0],
    });
    expect(given).toEqual({ front: [1], ranks: [1, 0], crowding: [null, null], hypervolume: 3, contributions: [0, 3] });
  });

  it('names the point that does not fit', async () => {
    const kwargs = { points: [[1, 2], [1]], directions: ['min', 'max'] } as never;
    expect(await faultOf(bench.run('compute_pareto_front', kwargs))).toMatch(/^invalid_input points\[1\]/);
  });
});
