import { describe, expect, it } from 'vitest';
import type { ErrorCode, Json } from '#protocol';
import type { TaskEnd } from '../../../edge/campaign/core/rehearse.ts';
import { box, compute, Course, spec } from './world.ts';

const failure = (type: ErrorCode, message = 'because'): TaskEnd => ({
  state: 'FAILURE',
  result: null,
  error: { type, message },
});
const success = (result: Json): TaskEnd => ({ state: 'SUCCESS', result, error: null });
const kinds = (course: Course): string[] => course.waiting.map(({ ref }) => ref);

describe('the phases of a campaign', () => {
  it('go from the initial design over training and scoring to evaluation, and on', () => {
    const course = Course.loaded(spec());
    expect(kinds(course)).toEqual(['evaluate.0.0']);
    course.finish(course.waiting[0]!);
    expect(kinds(course)).toEqual(['train.1.0', 'train.1.1', 'train.1.2']);
    course.run(({ state }) => state.phase.type === 'scoring');
    expect(kinds(course)).toEqual(['score.1']);
    course.finish(course.waiting[0]!);
    expect(kinds(course)).toEqual(['evaluate.1.2']);
    course.run();
    expect(course.reason).toBe('Budget used up: 8 of 8 evaluations.');
    expect(course.state.iterations.map(({ evaluated }) => evaluated)).toEqual([2, 4, 6, 8]);
  });

  it('search a box by CMA-ES, a round of starts for each proposal of a batch', () => {
    const course = Course.loaded(spec({ space: box, evaluator: { kind: 'named', name: 'sim' } }));
    expect(kinds(course)).toEqual(['evaluate.0.0', 'evaluate.0.1']);
    course.run(({ state }) => state.phase.type === 'searching');
    expect(kinds(course)).toEqual([0, 1, 2, 3].map((start) => `search.1.0.${start}`));
    const first = course.kwargs('search.1.0.0');
    expect(first).toMatchObject({
      dimension: 2,
      bounds: [
        [-1, 0],
        [3, 4],
      ],
    });
    expect(first.objective).toMatchObject({ goal: 'max', integers: [1], model_path: course.state.models });
    expect(first.x0).toEqual(course.state.candidates[course.state.front[0]!]!.inputs);
    course.run(({ state }) => state.phase.type === 'searching' && state.phase.round === 1);
    expect((course.kwargs('search.1.1.0').objective as { pending: Json[] }).pending).toHaveLength(3);
  });

  it('give every training task its share of the members, its own seed and its own file', () => {
    const course = Course.loaded(spec({ surrogate: { members: 11 } }));
    course.finish(course.waiting[0]!);
    const tasks = course.waiting.map(({ kwargs }) => kwargs);
    expect(tasks.map(({ members }) => members)).toEqual([1, 1, 1, 1, 1, 2, 2, 2]);
    expect(new Set(tasks.map(({ seed }) => seed)).size).toBe(8);
    expect(new Set(tasks.map(({ model_path: path }) => path)).size).toBe(8);
    expect(tasks[0]).toMatchObject({ inputs: ['a', 'b'], targets: ['y'], validation_fraction: 0 });
  });

  it.each([
    ['gp', 1],
    ['forest', 1],
    ['mlp', 5],
    ['auto', 5],
  ])('train the surrogate %s by %d tasks, and keep in the history what it was', (kind, count) => {
    const course = Course.loaded(spec({ surrogate: { kind } }));
    course.finish(course.waiting[0]!);
    expect(kinds(course)).toEqual(Array.from({ length: count }, (_, k) => `train.1.${k}`));
    const { kwargs } = course.waiting[0]!;
    expect(kwargs.kind).toBe(count === 1 ? kind : undefined);
    expect(kwargs).toMatchObject({ inputs: ['a', 'b'], targets: ['y'], validation_fraction: 0 });
    course.run();
    expect(course.reason).toBe('Budget used up: 8 of 8 evaluations.');
    const [initial, first] = course.state.iterations;
    expect(initial!.surrogate).toBeNull();
    expect(first!.surrogate!.kind).toBe(kind === 'auto' ? 'mlp' : kind);
  });

  it('send many observations by file instead of in every task', () => {
    const inputs = Array.from({ length: 99 }, (_, k) => ({ name: `x${k}`, type: 'float', min: 0, max: 1 }));
    const course = Course.loaded(
      spec({ space: { inputs }, initial: 60, budget: 70, evaluator: { kind: 'named', name: 's' } }),
    );
    course.run(undefined, () => success({ values: [{ y: 1 }], failed: [] }));
    const path = '/campaigns/c-01000000000000000000000000/observations-1.csv';
    expect(course.state.phase).toMatchObject({ type: 'training', dataPath: path, written: false });
    expect(kinds(course)).toEqual([]);
    course.apply({ type: 'data_written', path });
    expect(course.kwargs('train.1.0')).toMatchObject({ dataset_path: path });
    expect(course.kwargs('train.1.0').rows).toBeUndefined();
    const commands = [...course.waiting].flatMap((task) => course.finish(task));
    expect(commands).toContainEqual({ type: 'delete_files', paths: [path] });
  });

  it('delete the files of a model once its successor is there', () => {
    const course = Course.loaded(spec()).run();
    const deleted = course.commands.flatMap((command) => (command.type === 'delete_files' ? command.paths : []));
    const path = (iteration: number) => (group: number) =>
      `/campaigns/c-01000000000000000000000000/models/${iteration}-${group}.json`;
    expect(deleted).toEqual([...[0, 1, 2].map(path(1)), ...[0, 1, 2].map(path(2))]);
    expect(course.state.models).toEqual([0, 1, 2].map(path(3)));
  });

  it('try random candidates while too little is known for a model', () => {
    const course = Course.loaded(spec({ initial: 1, batch_size: 1 }));
    course.finish(course.waiting[0]!);
    expect(kinds(course)).toEqual(['evaluate.1.1']);
    course.finish(course.waiting[0]!);
    expect(kinds(course)[0]).toBe('train.2.0');
    expect(course.state.candidates.map(({ origin }) => origin)).toEqual(['initial', 'random']);
  });

  it('begin with a model when a data set is there', () => {
    const course = Course.loaded(spec({ initial: 0, dataset_path: '/d.csv' }), 'y,a,b\n1,0,0\n3,0,0\n5,1,0\n');
    expect(kinds(course)[0]).toBe('train.1.0');
    expect(course.state.candidates).toMatchObject([
      { origin: 'given', row: 0, inputs: [0, 0], outcome: { type: 'observed', values: [2] } },
      { origin: 'given', row: 1, inputs: [1, 0], outcome: { type: 'observed', values: [5] } },
    ]);
    course.run();
    expect(course.state.candidates).toHaveLength(10);
    expect(course.state.iterations.at(-1)?.evaluated).toBe(8);
  });
});

describe('pause, resume and stop', () => {
  it('finish what is under way, begin nothing, and go on', () => {
    const course = Course.loaded(spec());
    course.apply({ type: 'pause' });
    expect(course.apply({ type: 'pause' })).toEqual([]);
    course.finish(course.waiting[0]!);
    expect(course.state).toMatchObject({ phase: { type: 'training' }, held: true, paused: true });
    expect(course.waiting).toEqual([]);
    course.apply({ type: 'resume' });
    expect(kinds(course)).toEqual(['train.1.0', 'train.1.1', 'train.1.2']);
    expect(course.apply({ type: 'resume' })).toEqual([]);
  });

  it('submit nothing twice when nothing was held back', () => {
    const course = Course.loaded(spec());
    course.apply({ type: 'pause' });
    const commands = course.apply({ type: 'resume' });
    expect(commands.map(({ type }) => type)).toEqual(['event']);
  });

  it('end it with what it has, and clean up', () => {
    const course = Course.loaded(spec()).run(({ state }) => state.iteration === 1 && state.phase.type === 'training');
    const commands = course.apply({ type: 'stop', reason: 'Enough.' });
    expect(commands.map(({ type }) => type)).toEqual(['revoke_all', 'delete_files', 'event', 'finish']);
    expect(commands.at(-1)).toMatchObject({
      outcome: { type: 'success', result: { reason: 'Enough.', evaluated: 2 } },
    });
    expect(course.state.phase).toEqual({ type: 'finished', state: 'STOPPED', reason: 'Enough.' });
  });

  it('leave its task alone when that was revoked', () => {
    const commands = Course.loaded(spec()).apply({ type: 'revoked' });
    expect(commands.map(({ type }) => type)).toEqual(['revoke_all', 'event']);
  });
});

describe('results of one’s own', () => {
  it('are learnt from, are free, and are not proposed again', () => {
    const course = Course.loaded(spec());
    course.apply({
      type: 'given',
      items: [
        { inputs: [3, 3], values: [99] },
        { inputs: [4, 3], values: null },
      ],
    });
    course.finish(course.waiting[0]!);
    const { rows } = course.kwargs('train.1.0') as { rows: number[][] };
    expect(rows).toHaveLength(3);
    expect(rows[2]).toEqual([3, 3, 99]);
    course.run(({ state }) => state.phase.type === 'scoring');
    expect(course.kwargs('score.1').exclude).toEqual(expect.arrayContaining([21, 22]));
    expect(course.kwargs('score.1').pending).toEqual([[4, 3]]);
    expect(course.state.iterations[0]).toMatchObject({ evaluated: 2, best: { values: { y: 99 } } });
  });

  it('may lie outside the box, and the search begins within it', () => {
    const dataset = 'a,b,y\n100,-7,99\n0,0,1\n1,1,2\n';
    const course = Course.loaded(spec({ space: box, initial: 0, dataset_path: '/d.csv' }), dataset);
    course.run(({ waiting }) => waiting[0]?.task === 'run_cmaes_optimization');
    expect(course.kwargs('search.1.0.0').x0).toEqual([3, 0]);
  });

  it('win over a proposal for the same design that comes in later', () => {
    const course = Course.loaded(spec({ batch_size: 1 })).run(({ state }) => state.phase.type === 'scoring');
    const [scoring] = course.waiting;
    const { proposals } = compute(scoring!).result as { proposals: { inputs: number[] }[] };
    course.apply({ type: 'given', items: [{ inputs: proposals[0]!.inputs, values: [1] }] });
    course.finish(scoring!);
    expect(course.state).toMatchObject({ iteration: 2, phase: { type: 'training' } });
    course.run();
    const tried = course.state.candidates.map(({ row }) => row);
    expect(new Set(tried).size).toBe(tried.length);
  });
});

describe('the end of a campaign', () => {
  it.each([
    ['max', 5, 'Target reached: y = 10 ≥ 5.'],
    ['min', -5, 'Target reached: y = -10 ≤ -5.'],
  ])('comes with the target (%s)', (goal, target, reason) => {
    const sign = goal === 'max' ? 1 : -1;
    const course = Course.loaded(spec({ objectives: [{ name: 'y', goal }], stop: { target } }));
    course.run(undefined, (task) =>
      task.task === 'evaluate_candidates'
        ? success({ values: [{ y: 0 }, { y: sign * 10 }], failed: [] })
        : compute(task),
    );
    expect(course.reason).toBe(reason);
    expect(course.state.candidates).toHaveLength(2);
  });

  it('comes when nothing has improved for long enough', () => {
    const course = Course.loaded(spec({ stop: { patience: 2 }, budget: 20 }));
    let count = 0;
    course.run(undefined, (task) =>
      task.task === 'evaluate_candidates'
        ? success({ values: [{ y: ++count === 2 ? 7 : 1 }, { y: 1 }], failed: [] })
        : compute(task),
    );
    expect(course.reason).toBe('No improvement of the best y in 2 iterations in a row.');
    expect(course.state.iterations).toHaveLength(4);
  });

  it('comes when nothing is left to try, in a pool and in a box of whole numbers', () => {
    expect(Course.loaded(spec({ budget: 100 })).run().reason).toBe(
      'Nothing is left to try: every design of the pool has been.',
    );
    const inputs = [
      { name: 'a', type: 'integer', min: 0, max: 2 },
      { name: 'b', type: 'integer', min: 0, max: 1 },
    ];
    const small = Course.loaded(spec({ space: { inputs }, budget: 100 })).run();
    expect(small.reason).toBe('Nothing is left to try: every point of the space has been.');
    const tried = small.state.candidates.map((candidate) => candidate.inputs.join());
    expect(new Set(tried).size).toBe(6);
    expect(tried).toHaveLength(6);
  });

  it('comes when a range of floats has no further number', () => {
    const inputs = [
      { name: 'a', type: 'float', min: 1, max: 1 + Number.EPSILON },
      { name: 'b', type: 'integer', min: 0, max: 1 },
    ];
    const course = Course.loaded(spec({ space: { inputs }, budget: 100 }));
    expect(course.run().reason).toBe('Nothing is left to try: every point of the space has been.');
  });

  it('is a failure when no evaluation ever succeeds', () => {
    const course = Course.loaded(spec({ budget: 50, batch_size: 1 }));
    course.run(undefined, (task) =>
      task.task === 'evaluate_candidates' ? failure('evaluator_failed', 'exit 1') : compute(task),
    );
    expect(course.state.phase).toEqual({
      type: 'finished',
      state: 'FAILURE',
      reason: 'None of 10 evaluations succeeded. The last one: evaluator_failed: exit 1',
    });
  });

  it('is a failure at once when the evaluator cannot work at all', () => {
    const course = Course.loaded(spec());
    course.finish(course.waiting[0]!, failure('file_not_found', '/pool.csv'));
    expect(course.reason).toBe('The evaluator cannot evaluate: file_not_found: /pool.csv');
  });

  it.each([
    ['train', 'Training the surrogate failed: task_failed: because'],
    ['score', 'Scoring the pool failed: task_failed: because'],
  ])('is a failure when %s fails for good', (kind, reason) => {
    const course = Course.loaded(spec());
    course.run(undefined, (task) => (task.ref.startsWith(kind) ? failure('task_failed') : compute(task)));
    expect(course.reason).toBe(reason);
    expect(course.commands.at(-1)).toMatchObject({
      type: 'finish',
      outcome: { type: 'failure', error: { type: 'task_failed', message: reason }, retryable: false },
    });
  });

  it('is a failure when a worker’s answer is not what it should be', () => {
    const course = Course.loaded(spec()).run(({ state }) => state.phase.type === 'scoring');
    const prediction = { mean: [1], std: [1] };
    const wrong = { row: 3, inputs: [9, 9], score: 1, mean: 1, std: 1, prediction };
    course.finish(course.waiting[0]!, success({ proposals: [wrong] }));
    expect(course.reason).toBe(
      'Scoring the pool failed: row 3 of the answer is not what the pool had there; was its file replaced meanwhile?',
    );
  });

  it('is a failure in words when files do not fit', () => {
    const course = new Course(spec());
    course.apply({ type: 'not_loaded', message: '/pool.csv: the file does not exist' });
    expect(course.reason).toBe('/pool.csv: the file does not exist');
    const empty = new Course(spec());
    empty.apply({ type: 'loaded', names: ['a'], pool: { rows: [], inputs: [] }, given: [] });
    expect(empty.reason).toBe('space.pool: the file has no rows');
  });
});

describe('failed evaluations', () => {
  it('are recorded with their error, and never proposed again', () => {
    const course = Course.loaded(spec());
    course.run(undefined, (task) =>
      task.ref === 'evaluate.1.2'
        ? success({ values: [null, { y: null }], failed: [{ index: 0, error: 'melted' }] })
        : compute(task),
    );
    const failed = course.state.candidates.filter(({ outcome }) => outcome.type === 'failed');
    expect(failed.map(({ outcome }) => outcome)).toEqual([
      { type: 'failed', error: 'melted' },
      { type: 'failed', error: 'the evaluator gave no number of a magnitude up to 1e+100 for "y"' },
    ]);
    const { exclude, pending } = course.kwargs('score.2') as { exclude: number[]; pending: number[][] };
    expect(exclude).toHaveLength(4);
    expect(pending).toEqual(failed.map(({ inputs }) => inputs));
    expect(course.state.iterations[1]).toMatchObject({ evaluated: 4 });
  });

  it('fail all candidates of a task that failed or was revoked', () => {
    const course = Course.loaded(spec()).run(({ state }) => state.iteration === 1 && state.phase.type === 'evaluating');
    course.apply({ type: 'task_finished', ref: 'evaluate.1.2', state: 'REVOKED', result: null, error: null });
    expect(course.state.candidates.slice(2).map(({ outcome }) => outcome)).toEqual([
      { type: 'failed', error: 'the task was revoked' },
      { type: 'failed', error: 'the task was revoked' },
    ]);
  });
});
