import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '#kernels/rng';
import type { CanvasNode } from '#protocol';
import { Course, echo, evaluate, parse, type Compute } from './world.ts';

const task = (name: number): object => ({ task: 'ping', args: [name] });
const maybe = { requiredKeys: [] as [] };
const linked = fc.record({ link_error: fc.constant({ task: 'ping' }) }, maybe);
const stepArbitrary = fc
  .tuple(fc.nat(99), fc.record({ immutable: fc.boolean() }, maybe), linked)
  .map(([name, ...more]) => Object.assign({}, task(name), ...more) as object);
const items = fc.array(fc.constant([]), { maxLength: 40 });
const arrayArbitrary = fc
  .tuple(
    fc.oneof(
      items.map((each) => ({ starmap: { task: 'ping', items: each } })),
      fc.tuple(items, fc.integer({ min: 1, max: 7 })).map(([each, size]) => ({
        chunks: { task: 'ping', items: each, size },
      })),
    ),
    linked,
  )
  .map(([array, more]) => ({ ...array, ...more }));

const { canvas: canvasArbitrary } = fc.letrec<{ canvas: object }>((tie) => {
  const several = (minLength: number): fc.Arbitrary<object[]> => fc.array(tie('canvas'), { minLength, maxLength: 4 });
  const composed = fc.oneof(
    several(1).map((chain) => ({ chain })),
    several(1).map((group) => ({ group })),
    fc.tuple(several(0), tie('canvas')).map(([header, body]) => ({ chord: { header, body } })),
  );
  return {
    canvas: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { arbitrary: stepArbitrary, weight: 2 },
      { arbitrary: arrayArbitrary, weight: 1 },
      { arbitrary: fc.tuple(composed, linked).map(([node, more]) => ({ ...node, ...more })), weight: 4 },
    ),
  };
});

function hash(text: string): number {
  let sum = 7;
  for (let i = 0; i < text.length; i++) sum = (31 * sum + text.charCodeAt(i)) % 1_000_003;
  return sum;
}

/** Some calls fail, and some say that their result is large: a function of the place alone. */
function moody(seed: number, failing: number): Compute {
  return (place, args) => {
    const end = echo(place, args);
    if (place.endsWith('!')) return end;
    const draw = new Rng(seed + hash(place)).uniform();
    if (draw < (place.endsWith(']') ? failing / 20 : failing)) return { failure: place };
    if ('failure' in end || place.endsWith(']')) return end;
    return { ...end, bytes: draw > 0.9 ? 600_000 : draw > 0.75 ? 300_000 : end.bytes };
  };
}

/** Ends tasks in an order, with repetitions, crashes and time, that `draw` decides. */
function shuffled(canvas: CanvasNode, compute: Compute, draw: () => number): Course {
  const course = new Course(canvas, compute);
  while (course.waiting.length > 0 || course.write()) {
    if (draw() < 0.3) course.crash();
    if (draw() < 0.2) course.apply({ type: 'widen' });
    if (draw() < 0.2) course.write();
    const task = course.waiting[Math.floor(draw() * course.waiting.length)];
    if (task === undefined) continue;
    course.finish(task, Math.floor(draw() * 5000));
    const earlier = course.submitted[Math.floor(draw() * course.submitted.length)];
    if (draw() < 0.4 && earlier !== undefined && !course.waiting.includes(earlier)) course.finish(earlier);
  }
  return course;
}

describe('a workflow', () => {
  it('comes to what simply calling it comes to, in whatever order tasks end, how often that is told, and between which crashes', () => {
    fc.assert(
      fc.property(canvasArbitrary, fc.nat(), fc.constantFrom(0, 0, 0.1, 0.3), (written, seed, failing) => {
        const canvas = parse(written);
        const compute = moody(seed, failing);
        const expected = evaluate(canvas, compute);
        const rng = new Rng(seed);
        const course = shuffled(canvas, compute, () => rng.uniform());
        const { state } = course;
        expect(state.state).toBe(expected.value === undefined ? 'FAILURE' : 'SUCCESS');
        if (expected.value === undefined) {
          expect(state.error).not.toBeNull();
          const { path, message } = state.error!;
          expect(message.includes('empty') || expected.failures.some((place) => place.startsWith(path))).toBe(true);
        } else {
          expect(course.result).toEqual(expected.value);
          expect(state.progress.succeeded).toBe(state.progress.total);
        }
        // Each step once, in spite of everything.
        expect(course.steps).toEqual(expected.steps);
        expect(course.errbacks).toEqual(expected.errbacks);
        expect(new Set(course.submitted.map(({ ref }) => ref)).size).toBe(course.submitted.length);
        expect(new Set(course.submitted.map(({ taskId }) => taskId.slice(-16))).size).toBe(course.submitted.length);
        expect(state.progress.running).toBe(0);
        expect(course.commands.filter(({ type }) => type === 'finish')).toHaveLength(1);
      }),
      { numRuns: 400 },
    );
  });
});
