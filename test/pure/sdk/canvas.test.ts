import { describe, expect, expectTypeOf, it } from 'vitest';
import { taskTypes, type Result } from '#catalog';
import { canvasNodeSchema, taskOptionsSchema, type CanvasNode, type Json, type Step } from '#protocol';
import {
  chain,
  chord,
  chunks,
  file,
  parameterGrid,
  group,
  immutable,
  linkError,
  map,
  range,
  s,
  si,
  signature,
  starmap,
  withLabels,
  type Grid,
  type OutputOf,
  type TaskOptions,
} from '../../../client/sdk/index.ts';

const sphere = { kind: 'builtin' as const, name: 'sphere' };
const evaluated = { task: 'evaluate_candidates', kwargs: { candidates: [[1, 2]], evaluator: sphere } };
const evaluate = s('evaluate_candidates', { candidates: [[1, 2]], evaluator: sphere });
const evaluateRest = s('evaluate_candidates', { evaluator: sphere }, { priority: 9 });
const search = { objective: { builtin: 'sphere' }, dimension: 2 };

/** What is sent, having passed the schema of the edge. */
function sent(canvas: CanvasNode): Json {
  const json = JSON.parse(JSON.stringify(canvas)) as Json;
  expect(canvasNodeSchema.parse(json)).toEqual(json);
  return json;
}

describe('a step', () => {
  it('is a signature, whole or without its first argument', () => {
    expect(sent(evaluate)).toEqual(evaluated);
    expect(sent(evaluateRest)).toEqual({
      task: 'evaluate_candidates',
      kwargs: { evaluator: sphere },
      priority: 9,
    });
    expectTypeOf<OutputOf<typeof evaluate>>().toEqualTypeOf<Result<'evaluate_candidates'>>();
    // @ts-expect-error -- an evaluator must be named
    s('evaluate_candidates', { candidates: [[1]] });
    // @ts-expect-error -- no such argument
    s('evaluate_candidates', { candidates: [[1]], evaluator: sphere, colour: 'red' });
  });

  it('is of a task type that anybody may submit, and so are arrays', () => {
    type Submitted = Parameters<typeof signature>[0];
    expectTypeOf<Extract<Submitted, 'ping' | 'train_surrogate'>>().toEqualTypeOf<'ping' | 'train_surrogate'>();
    expectTypeOf<Extract<Submitted, 'starmap' | 'run_workflow' | 'run_campaign'>>().toBeNever();
    expectTypeOf<Parameters<typeof s>[0]>().toEqualTypeOf<Submitted>();
    expectTypeOf<Parameters<typeof si>[0]>().toEqualTypeOf<Submitted>();
    expectTypeOf<Parameters<typeof starmap>[0]>().toEqualTypeOf<Submitted>();
    expectTypeOf<Parameters<Grid['submit']>[0]>().toEqualTypeOf<Submitted>();
    const internal = taskTypes.filter((type) => type.internal).map(({ name }) => name);
    expect(internal.sort()).toEqual(['run_campaign', 'run_workflow', 'starmap']);
  });

  it('is immutable where it takes nothing from the part before it', () => {
    expect(sent(si('ping', {}))).toEqual({ task: 'ping', kwargs: {}, immutable: true });
    expect(sent(immutable(evaluate))).toEqual({ ...evaluated, immutable: true });
    // @ts-expect-error -- without its first argument it has to take something
    immutable(evaluateRest);
  });
});

describe('a chain', () => {
  it('hands each result on as the first argument of the next part', () => {
    const canvas = chain(map('evaluate_candidates', [[[1]]], { kwargs: { evaluator: sphere } }), si('ping', {}));
    expect(sent(canvas)).toEqual({
      chain: [
        { map: { task: 'evaluate_candidates', kwargs: { evaluator: sphere }, items: [[[1]]] } },
        { task: 'ping', kwargs: {}, immutable: true },
      ],
    });
    expectTypeOf<OutputOf<typeof canvas>>().toEqualTypeOf<Result<'ping'>>();
  });

  it('does not compile where a part does not take what comes to it', () => {
    // @ts-expect-error -- a pong is no list of candidates
    chain(s('ping'), evaluateRest);
    // @ts-expect-error -- its candidates are given already
    chain(s('ping'), evaluate);
    // @ts-expect-error -- a ping takes nothing
    chain(evaluate, s('ping'));
    // @ts-expect-error -- something has to be in it
    expect(() => canvasNodeSchema.parse(chain())).toThrow();
    const plain: CanvasNode = { task: 'anything' };
    expect(sent(chain(plain, evaluateRest, plain))).toMatchObject({ chain: [plain, {}, plain] });
    expect(sent(chain(group(plain, plain), evaluateRest))).toMatchObject({ chain: [{ group: [plain, plain] }, {}] });
    expect(sent(chord([plain], evaluateRest))).toMatchObject({ chord: { header: [plain] } });
  });
});

describe('groups and chords', () => {
  it('have the results of their parts in order', () => {
    const canvas = group(evaluate, s('ping'));
    expect(sent(canvas)).toEqual({ group: [evaluated, { task: 'ping', kwargs: {} }] });
    expectTypeOf<OutputOf<typeof canvas>>().toEqualTypeOf<[Result<'evaluate_candidates'>, Result<'ping'>]>();
    const many = group(...[1, 2, 3].map((x) => s('evaluate_candidates', { candidates: [[x]], evaluator: sphere })));
    expect(sent(many)).toMatchObject({ group: [{}, {}, {}] });
    expectTypeOf<OutputOf<typeof many>>().toEqualTypeOf<Result<'evaluate_candidates'>[]>();
  });

  it('give the list to the body', () => {
    const canvas = chord([evaluate, evaluate], si('ping', {}));
    expect(sent(canvas)).toEqual({
      chord: { header: [evaluated, evaluated], body: { task: 'ping', kwargs: {}, immutable: true } },
    });
    expectTypeOf<OutputOf<typeof canvas>>().toEqualTypeOf<Result<'ping'>>();
    // @ts-expect-error -- results of evaluations are no candidates
    chord([evaluate, evaluate], evaluateRest);
    // @ts-expect-error -- its candidates are given already
    chord([evaluate], evaluate);
  });

  it('take what all of their parts take', () => {
    const candidates = { task: 'anything' } as unknown as Parameters<typeof immutable<number[][]>>[0];
    expect(sent(chain(candidates, group(evaluateRest, evaluateRest)))).toMatchObject({
      chain: [{}, { group: [{}, {}] }],
    });
    // @ts-expect-error -- a pong is none of their first arguments
    chain(s('ping'), group(evaluateRest, si('ping', {})));
  });
});

describe('an array', () => {
  it('maps items, which are the first argument', () => {
    const kwargs = { evaluator: sphere };
    const canvas = map('evaluate_candidates', file<number[][]>('/d/x.ndjson'), {
      kwargs,
      queue: 'data',
      maxRetries: 0,
    });
    expect(sent(canvas)).toEqual({
      map: { task: 'evaluate_candidates', kwargs, items: { file: '/d/x.ndjson' }, queue: 'data', max_retries: 0 },
    });
    expectTypeOf<OutputOf<typeof canvas>>().toEqualTypeOf<Result<'evaluate_candidates'>[]>();
    // @ts-expect-error -- a number is no list of candidates
    map('evaluate_candidates', range(3), { kwargs });
    // @ts-expect-error -- the evaluator is missing
    map('evaluate_candidates', [[[1]]]);
  });

  it('spreads items, which are the arguments', () => {
    const items = parameterGrid({ seed: [1, 2, 3], popsize: [8, 16] });
    const canvas = starmap('run_cmaes_optimization', items, { kwargs: search, labels: ['sweep'] });
    expect(sent(canvas)).toEqual({
      starmap: { task: 'run_cmaes_optimization', kwargs: search, items, labels: ['sweep'] },
    });
    expect(sent(starmap('evaluate_candidates', [[[[1]], sphere]]))).toEqual({
      starmap: { task: 'evaluate_candidates', kwargs: {}, items: [[[[1]], sphere]] },
    });
    expect(
      sent(starmap('run_cmaes_optimization', parameterGrid({ seed: range(1e6), popsize: [8] }), { kwargs: search })),
    ).toEqual({
      starmap: {
        task: 'run_cmaes_optimization',
        kwargs: search,
        items: { grid: { seed: { range: [0, 1_000_000, 1] }, popsize: [8] } },
      },
    });
    // @ts-expect-error -- there is no argument of this name
    starmap('run_cmaes_optimization', parameterGrid({ sead: [1] }));
    // @ts-expect-error -- a seed is a number
    starmap('run_cmaes_optimization', [{ seed: 'one' }]);
  });

  it('comes in chunks', () => {
    const canvas = chunks('run_cmaes_optimization', parameterGrid({ seed: [1, 2, 3] }), 2, { kwargs: search });
    expect(sent(canvas)).toEqual({
      chunks: { task: 'run_cmaes_optimization', kwargs: search, items: { grid: { seed: [1, 2, 3] } }, size: 2 },
    });
    expectTypeOf<OutputOf<typeof canvas>>().toEqualTypeOf<Result<'run_cmaes_optimization'>[][]>();
  });

  it('takes every option that tells how a task is run', () => {
    const options = {
      queue: 'data',
      priority: 9,
      maxRetries: 1,
      retryBackoff: 5,
      retryBackoffMax: 60,
      retryJitter: false,
      retryOn: ['task_failed'],
      dontRetryOn: ['worker_lost'],
      softTimeLimitSeconds: 8,
      timeLimitSeconds: 9,
      concurrencyKey: 'licence',
      concurrencyLimit: 4,
      labels: ['sweep'],
    } satisfies Required<TaskOptions>;
    const { kwargs, task, ...step } = s('ping', {}, options) as Step;
    expect(Object.keys(step).sort()).toEqual(Object.keys(taskOptionsSchema.shape).sort());
    const items = parameterGrid({ seed: range(9) });
    expect(sent(starmap('run_cmaes_optimization', items, { kwargs: search, ...options }))).toEqual({
      starmap: { task: 'run_cmaes_optimization', kwargs: search, items, ...step },
    });
    expect({ task, kwargs }).toEqual({ task: 'ping', kwargs: {} });
  });

  it('counts as Python does', () => {
    expect([range(3), range(1, 4), range(9, 0, -3)]).toEqual([
      { range: [0, 3, 1] },
      { range: [1, 4, 1] },
      { range: [9, 0, -3] },
    ]);
  });
});

it('links what happens on failure, and labels, to any part', () => {
  const canvas = withLabels(linkError(chain(evaluate, si('ping', {})), si('ping', {})), 'a', 'a', 'b');
  expect(sent(canvas)).toMatchObject({
    chain: [evaluated, {}],
    link_error: { task: 'ping', kwargs: {}, immutable: true },
    labels: ['a', 'b'],
  });
  expectTypeOf<OutputOf<typeof canvas>>().toEqualTypeOf<Result<'ping'>>();
  // @ts-expect-error -- an error is no list of candidates
  linkError(evaluate, evaluateRest);
});
