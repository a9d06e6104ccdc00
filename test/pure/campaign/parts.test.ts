import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { front, hypervolume } from '#kernels/pareto';
import { Rng } from '#kernels/rng';
import { inputSchema, type Input } from '#protocol';
import { latinHypercube, untriedPoints } from '../../../edge/campaign/core/box.ts';
import { stdScales } from '../../../edge/campaign/core/calibrate.ts';
import { specFaults } from '../../../edge/campaign/core/check.ts';
import { drawAtRandom } from '../../../edge/campaign/core/designs.ts';
import { readFiles } from '../../../edge/campaign/core/load.ts';
import { givenOf } from '../../../edge/campaign/core/observations.ts';
import { frontOf } from '../../../edge/campaign/core/pareto.ts';
import { drawScalarizations } from '../../../edge/campaign/core/scalarize.ts';
import type { Candidate } from '../../../edge/campaign/core/types.ts';
import { prequential } from '../../../edge/campaign/core/validation.ts';
import { exportCsv, exportJson, paretoView, progressOf } from '../../../edge/campaign/core/views.ts';
import { box, Course, spec } from './world.ts';

const inputs: Input[] = box.inputs.map((input) => inputSchema.parse(input));

describe('the initial design', () => {
  it('takes designs of a pool without replacement, decided by the seed', () => {
    const rows = (seed: number) => {
      const { state } = Course.loaded(spec({ seed, initial: 8 }));
      return state.candidates.map(({ row }) => row);
    };
    expect(new Set(rows(1)).size).toBe(8);
    expect(rows(1)).toEqual(rows(1));
    expect(rows(1)).not.toEqual(rows(2));
  });

  it('is a Latin hypercube in a box: one value in each part of each range', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 40 }), (seed, count) => {
        const points = latinHypercube([inputs[0]!], count, new Rng(seed)).map(([a]) => a!);
        const parts = points.map((a) => Math.floor(((a + 1) / 4) * count));
        expect(parts.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, part) => part));
      }),
    );
  });

  it('has no point twice, also where the box has few', () => {
    const few = [{ name: 'k', type: 'integer', min: 0, max: 9 }];
    const { state } = Course.loaded(spec({ space: { inputs: few }, initial: 10, budget: 10 }));
    expect(state.candidates.map((candidate) => candidate.inputs[0]).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('never leaves the box', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        for (const [a, b] of [
          ...latinHypercube(inputs, 7, new Rng(seed)),
          ...untriedPoints(inputs, 7, new Rng(seed), new Set()),
        ]) {
          expect(a).toBeGreaterThanOrEqual(-1);
          expect(a).toBeLessThanOrEqual(3);
          expect([0, 1, 2, 3, 4]).toContain(b);
        }
      }),
    );
  });

  it('is spread over what is left when some is known', () => {
    const course = Course.loaded(spec({ dataset_path: '/d.csv', initial: 24, budget: 24 }), 'a,b,y\n0,0,1\n1,0,1\n');
    expect(drawAtRandom(course.state, 100, 'random')).toHaveLength(0);
    expect(course.state.candidates).toHaveLength(24);
  });
});

describe('specFaults', () => {
  it.each<[object, string[]]>([
    [{}, []],
    [{ space: box, objectives: [{ name: 'a', goal: 'max' }] }, ['objectives.0.name']],
    [{ space: { inputs: [box.inputs[0], box.inputs[0]] } }, ['space.inputs.1.name']],
    [{ space: { inputs: [{ name: 'a', type: 'float', min: 1, max: 1 }] } }, ['space.inputs.0.max']],
    [{ space: { inputs: [{ name: 'a', type: 'float', min: -1e308, max: 1e308 }] } }, ['space.inputs.0.max']],
    [{ space: { inputs: [{ name: 'a', type: 'float', min: 0, max: 5e-324 }] } }, ['space.inputs.0.max']],
    [{ space: { inputs: [{ name: 'a', type: 'float', min: 1e16, max: 1e16 + 4 }] } }, ['space.inputs.0.max']],
    [{ space: { pool: '/p.csv', inputs: ['a', 'a', 'y'] } }, ['space.inputs.1', 'objectives.0.name']],
    [{ initial: 9 }, ['initial']],
    [{ initial: 0 }, ['initial']],
    [{ initial: 0, dataset_path: '/d.csv' }, []],
    [{ surrogate: { kind: 'gp' }, budget: 2000 }, []],
    [{ surrogate: { kind: 'gp' }, budget: 2001 }, ['surrogate.kind']],
    [{ surrogate: { kind: 'forest' }, budget: 2001 }, []],
    [
      {
        objectives: [
          { name: 'y', goal: 'max' },
          { name: 'y', goal: 'min' },
        ],
        evaluator: { kind: 'builtin', name: 'sphere' },
      },
      ['objectives.1.name', 'objectives'],
    ],
  ])('of %j are at %j', (changes, paths) => {
    expect(specFaults(spec(changes)).map(({ path }) => path)).toEqual(paths);
  });
});

describe('readFiles', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it('takes all columns of a pool that are not objectives, and equal rows once', () => {
    const { names, pool } = readFiles(spec(), { pool: bytes('a,y,b\n1,0,2\n1,1,2\n3,0,4\n'), dataset: null });
    expect(names).toEqual(['a', 'b']);
    expect(pool).toEqual({
      rows: [0, 2],
      inputs: [
        [1, 2],
        [3, 4],
      ],
    });
  });

  it.each<[object, string, string]>([
    [{}, 'a,b,y\n1,x,0\n', 'row 2, column "b": expected a finite number, got "x"'],
    [{ space: { pool: '/p.csv', inputs: ['q'] } }, 'a,b,y\n', 'column "q": expected one of'],
  ])('names what does not fit (%j, %j)', (changes, text, words) => {
    expect(() => readFiles(spec(changes), { pool: bytes(text), dataset: null })).toThrow(words);
  });
});

describe('givenOf', () => {
  const { state } = Course.loaded(spec());

  it('puts values in the campaign’s order', () => {
    const given = givenOf(state, [
      { inputs: { b: 2, a: 1 }, values: { y: 3 } },
      { inputs: { a: 1, b: 2 }, values: null },
    ]);
    expect(given).toEqual([
      { inputs: [1, 2], values: [3] },
      { inputs: [1, 2], values: null },
    ]);
  });

  it('refuses numbers that nothing can be learnt from', () => {
    const wrong = [{ inputs: { a: 1e200, b: 2 }, values: { y: 1e308 } }];
    const message = 'expected a magnitude up to 1e+100';
    expect(() => givenOf(state, wrong)).toThrow(
      expect.objectContaining({
        details: {
          faults: [
            { path: 'observations.0.inputs.a', message },
            { path: 'observations.0.values.y', message },
          ],
        },
      }) as Error,
    );
  });

  it('names every input and objective that is missing or unknown', () => {
    const wrong = [{ inputs: { a: 1, c: 2 }, values: {} }];
    expect(() => givenOf(state, wrong)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        details: {
          faults: [
            { path: 'observations.0.inputs.c', message: 'expected one of a, b' },
            { path: 'observations.0.inputs.b', message: 'expected a number' },
            { path: 'observations.0.values.y', message: 'expected a number' },
          ],
        },
      }) as Error,
    );
  });
});

function observed(index: number, values: number[], prediction: Candidate['prediction'] = null): Candidate {
  return {
    index,
    iteration: 1,
    origin: 'surrogate',
    row: null,
    inputs: [index],
    prediction,
    outcome: { type: 'observed', values },
  };
}

const twoObjectives = [
  { name: 'y', goal: 'max' },
  { name: 'z', goal: 'min' },
];

describe('frontOf', () => {
  it('grows to what the front of all observations is', () => {
    const point = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(fc.array(fc.array(point, { maxLength: 5 }), { minLength: 1, maxLength: 8 }), (batches) => {
        let { state } = Course.loaded(spec({ objectives: twoObjectives }));
        state = { ...state, candidates: [] };
        for (const batch of batches) {
          const added = batch.map((values, k) => observed(state.candidates.length + k, values));
          state = { ...state, candidates: [...state.candidates, ...added] };
          const now = frontOf(state);
          state = { ...state, front: now.members.map(({ index }) => index), considered: state.candidates.length };
          const all = state.candidates.flatMap(({ outcome }) => (outcome.type === 'observed' ? [outcome.values] : []));
          expect(state.front).toEqual(front(all, ['max', 'min']));
          if (all.length === 0) continue;
          const reference = [Math.min(...all.map(([y]) => y!)), Math.max(...all.map(([, z]) => z!))];
          expect(now.reference).toEqual(reference);
          expect(now.hypervolume).toBeCloseTo(hypervolume(all, reference, ['max', 'min']), 9);
        }
      }),
    );
  });

  it('says whether it improved: only by what was not there', () => {
    const { state } = Course.loaded(spec());
    const first = { ...state, candidates: [observed(0, [3])], front: [0], considered: 1 };
    const after = (value: number) => frontOf({ ...first, candidates: [...first.candidates, observed(1, [value])] });
    expect([2, 3, 4].map((value) => after(value).improved)).toEqual([false, false, true]);
  });

  it('measures fronts of four objectives up to 300 points', () => {
    const objectives = ['y', 'z', 'v', 'w'].map((name) => ({ name, goal: 'min' as const, reference: 2 }));
    const { state } = Course.loaded(spec({ objectives }));
    const volume = (count: number) => {
      const candidates = Array.from({ length: count }, (_, i) => observed(i, [i / 512, 1 - i / 512, 1, 1]));
      return frontOf({ ...state, candidates }).hypervolume;
    };
    // A staircase in the plane: 2 for the first point, and (2 − i/512)/512 for each further one.
    expect(volume(300)).toBeCloseTo(2 + (2 * 299) / 512 - (299 * 300) / 2 / 512 / 512, 9);
    expect(volume(301)).toBeNull();
  });

  it('of one objective is the best, and its hypervolume the way from the worst', () => {
    const { state } = Course.loaded(spec());
    const candidates = [3, 9, 5].map((value, index) => observed(index, [value]));
    const view = paretoView({ ...state, candidates });
    expect(view).toMatchObject({ front: [{ index: 1 }], hypervolume: 6, reference: { y: 3 } });
  });
});

describe('drawScalarizations', () => {
  it('draws weights that sum to one, scales by what was seen, and knows the best so far', () => {
    const { state } = Course.loaded(spec({ objectives: twoObjectives }));
    const candidates = [observed(0, [1, 10]), observed(1, [5, 20])];
    const drawn = drawScalarizations({ ...state, candidates }, 3);
    for (const { scalarization, best } of drawn) {
      expect(scalarization).toMatchObject({ goals: ['max', 'min'], ideal: [5, 10], nadir: [1, 20] });
      const [u, v] = scalarization.weights;
      expect(u! + v!).toBeCloseTo(1, 12);
      expect(best).toBeCloseTo(1.05 * Math.min(u!, v!), 12);
    }
    expect(new Set(drawn.map(({ scalarization }) => scalarization.weights[0])).size).toBe(3);
    const [again] = drawScalarizations({ ...state, candidates }, 1, 1);
    expect(again).toEqual(drawn[1]);
  });
});

describe('prequential validation', () => {
  const predicted = (mean: number, std: number) => ({ mean: [mean], std: [std], scale: [1] });

  it('judges predictions by what came, and has nothing to say before', () => {
    expect(prequential(spec(), [observed(0, [1])])).toBeNull();
    const validation = prequential(spec(), [
      observed(0, [1], predicted(2, 1)),
      observed(1, [5], predicted(5, 1)),
      observed(2, [3], predicted(3, 1)),
    ]);
    expect(validation).toMatchObject({ method: 'prequential', n: 3, coverage_90: 1 });
    expect(validation!.rmse).toBeCloseTo(Math.sqrt(1 / 3), 12);
    expect(validation!.r2).toBeCloseTo(1 - 1 / 8, 12);
    const logLikelihood = 0.5 * Math.log(2 * Math.PI) + 1 / 6;
    expect(validation!.nll).toBeCloseTo(logLikelihood, 9);
  });

  it('judges every objective', () => {
    const candidate = observed(0, [1, 2], { mean: [1, 3], std: [1, 1], scale: [1, 1] });
    expect(prequential(spec({ objectives: twoObjectives }), [candidate])).toMatchObject({
      rmse: 0,
      objectives: { y: { rmse: 0 }, z: { rmse: 1 } },
    });
  });
});

describe('stdScales', () => {
  const of = spec({ objectives: twoObjectives });
  const missed = (index: number, std: number, scale: number) =>
    observed(index, [10, 0], { mean: [0, 0], std: [std, std], scale: [scale, scale] });

  it('begin with 1, and grow where predictions were too sure of themselves', () => {
    expect(stdScales({ spec: of, candidates: [] })).toEqual([1, 1]);
    const [first, second] = stdScales({ spec: of, candidates: [missed(0, 5, 1)] });
    expect(first).toBeCloseTo(Math.sqrt((5 + 4) / 6), 12);
    expect(second).toBeCloseTo(Math.sqrt(5 / 6), 12);
  });

  it('are measured against the spread as the ensemble had it', () => {
    expect(stdScales({ spec: of, candidates: [missed(0, 10, 2)] })).toEqual(
      stdScales({ spec: of, candidates: [missed(0, 5, 1)] }),
    );
  });

  it('come to what errors are, of late, but for a single outlier', () => {
    const many = Array.from({ length: 500 }, (_, index) => missed(index, 2, 1));
    expect(stdScales({ spec: of, candidates: many })[0]).toBeCloseTo(Math.sqrt((5 + 20 * 25) / 25), 6);
    const outlier = [missed(0, 1e-9, 1)];
    expect(stdScales({ spec: of, candidates: outlier })[0]).toBeCloseTo(Math.sqrt(105 / 6), 12);
  });
});

describe('views', () => {
  it('export each candidate once, with what was predicted and what came', () => {
    const { state } = Course.loaded(spec()).run();
    const registration = { owner: 'ada', taskId: '0-01000000000000000000000000' as never };
    const all = JSON.parse(exportJson(state, registration)) as {
      observations: { values: object }[];
      history: object[];
    };
    expect(all).toMatchObject({ state: 'SUCCESS', owner: 'ada', progress: { evaluated: 8, fraction: 1 } });
    expect(all.observations).toHaveLength(8);
    expect(all.history).toHaveLength(4);
    expect(all.history[1]).toMatchObject({ iteration: 1, surrogate: { kind: 'mlp', validation: { n: 2 } } });
    expect(exportCsv(state).split('\r\n')).toHaveLength(10);
  });

  it('tell in words what is being done', () => {
    const course = new Course(spec());
    const steps = [progressOf(course.state).step];
    const loaded = Course.loaded(spec());
    for (let task = loaded.waiting[0]; task !== undefined && loaded.state.iteration < 2; task = loaded.waiting[0]) {
      steps.push(progressOf(loaded.state).step);
      loaded.finish(task);
    }
    expect(steps).toEqual([
      'reading the files',
      'initial design: evaluating, 0 of 2 candidates',
      'iteration 1: training the surrogate, 0 of 3 parts',
      'iteration 1: training the surrogate, 1 of 3 parts',
      'iteration 1: training the surrogate, 2 of 3 parts',
      'iteration 1: scoring the pool',
      'iteration 1: evaluating, 0 of 2 candidates',
    ]);
  });
});
