import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '#kernels/rng';
import type { CampaignSpec } from '#protocol';
import type { PlannedTask } from '../../../edge/campaign/core/types.ts';
import { box, compute, Course, spec } from './world.ts';

const several = [
  { name: 'y', goal: 'max' },
  { name: 'z', goal: 'min' },
];
const specs: [string, CampaignSpec][] = [
  ['over a pool', spec()],
  ['in a box', spec({ space: box, evaluator: { kind: 'named', name: 'sim' } })],
  ['in a box with two objectives', spec({ space: box, objectives: several, evaluator: { kind: 'named', name: 's' } })],
  ['over a pool with two objectives', spec({ objectives: several, batch_size: 3 })],
];

/** Answers tasks in an order, with repetitions and pauses, that `draw` decides. */
function shuffled(of: CampaignSpec, draw: () => number): Course {
  const course = Course.loaded(of);
  const answered: PlannedTask[] = [];
  while (course.waiting.length > 0 || course.state.paused) {
    const chance = draw();
    if (course.state.paused && (course.waiting.length === 0 || chance < 0.2)) {
      course.apply({ type: 'resume' });
      continue;
    }
    if (chance > 0.9) course.apply({ type: 'pause' });
    const task = course.waiting[Math.floor(draw() * course.waiting.length)];
    if (task === undefined) continue;
    course.finish(task);
    answered.push(task);
    const earlier = answered[Math.floor(draw() * answered.length)];
    if (chance < 0.5 && earlier !== undefined) course.finish(earlier);
  }
  return course;
}

describe('a campaign', () => {
  it.each(specs)(
    'comes to the same in whatever order results arrive, how often, and between which pauses, %s',
    (_, of) => {
      const expected = Course.loaded(of).run().result;
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 1e9 }), (seed) => {
          const rng = new Rng(seed);
          expect(shuffled(of, () => rng.uniform()).result).toEqual(expected);
        }),
        { numRuns: 40 },
      );
    },
  );

  it.each(specs)('does not change when its state is stored and read back between events, %s', (_, of) => {
    const expected = Course.loaded(of).run().result;
    const course = Course.loaded(of);
    for (let task = course.waiting[0]; task !== undefined; task = course.waiting[0]) {
      course.state = JSON.parse(JSON.stringify(course.state)) as typeof course.state;
      course.finish(task);
    }
    expect(course.result).toEqual(expected);
  });

  it('is another one with another seed', () => {
    expect(Course.loaded(spec({ seed: 2 })).run().result).not.toEqual(Course.loaded(spec()).run().result);
  });

  it('leaves entries of its lists alone that did not change, so that storage need not be written again', () => {
    const course = Course.loaded(spec());
    course.run(({ state }) => state.iteration === 2);
    const before = course.state.candidates;
    course.run(({ state }) => state.iteration === 3);
    before.slice(0, 4).forEach((candidate, index) => expect(course.state.candidates[index]).toBe(candidate));
  });

  it('ignores everything once it is over', () => {
    const course = Course.loaded(spec()).run();
    const { state } = course;
    const task: PlannedTask = { ref: 'evaluate.3.6', task: 'evaluate_candidates', kwargs: { candidates: [] } };
    expect(course.finish(task, compute(task))).toEqual([]);
    for (const type of ['pause', 'resume', 'revoked'] as const) expect(course.apply({ type })).toEqual([]);
    expect(course.apply({ type: 'given', items: [{ inputs: [1, 1], values: [1] }] })).toEqual([]);
    expect(course.state).toBe(state);
  });
});
