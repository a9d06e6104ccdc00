import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits, submitterFrameSchema, TabgridError } from '#protocol';
import { parseSubmitterFrame, readSubmitterMessage } from '../../../edge/broker/submission.ts';

const text = fc.oneof(
  { weight: 9, arbitrary: fc.string({ minLength: 1, maxLength: 64 }) },
  fc.constantFrom('', 'x'.repeat(65), 'x'.repeat(300)),
);
const rubbish = fc.constantFrom(null, 7, true, [], {}, [1], '');

/** Mostly what it should be. */
function mostly<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary }, rubbish);
}

/** Members that need not be there, and rarely one that must not be. */
function object(needed: object, others: object): fc.Arbitrary<object> {
  const optional = { ...others, colour: fc.constant('red') };
  const absent = fc.subarray(Object.keys(optional), { minLength: Object.keys(others).length });
  return fc.tuple(fc.record({ ...needed, ...optional }), absent).map(([all, names]) => {
    const left = Object.entries(all).filter(([name]) => !names.includes(name));
    return Object.fromEntries(left);
  });
}

const signature = object({ task: mostly(text) }, { kwargs: mostly(fc.dictionary(fc.string(), fc.jsonValue())) });
const frame = object(
  {
    type: fc.constantFrom('submit', 'submit', 'submit', 'watch', 'shout'),
    request_id: mostly(text),
    tasks: mostly(fc.array(signature, { maxLength: 3 })),
  },
  { key: mostly(text) },
);

describe('a submitter’s frame', () => {
  it('is taken where the schema takes it, also what is looked at by hand', () => {
    let taken = 0;
    fc.assert(
      fc.property(frame, (given) => {
        const parsed = submitterFrameSchema.safeParse(given);
        if (!parsed.success) {
          expect(() => parseSubmitterFrame(given)).toThrow(TabgridError);
          return;
        }
        taken++;
        expect(parseSubmitterFrame(given)).toEqual(parsed.data);
      }),
      { numRuns: 2000, seed: 1 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it('names what does not fit, and where', () => {
    const refusal = (given: unknown): string => {
      try {
        parseSubmitterFrame(given);
      } catch (error) {
        if (error instanceof TabgridError) return `${error.code} ${error.message}`;
      }
      return '';
    };
    const submit = { type: 'submit', request_id: '1', tasks: [{ task: 'ping' }] };
    expect(refusal(submit)).toBe('');
    expect(refusal({ ...submit, tasks: [{ task: 'ping', colour: 1 }] })).toBe('invalid_request colour: unknown key');
    expect(refusal({ ...submit, tasks: [{ task: 'ping' }, { task: 7 }] })).toContain('invalid_request 1.task: ');
    expect(refusal({ ...submit, tasks: [] })).toContain('invalid_request tasks: ');
    expect(refusal({ ...submit, request_id: 7, tasks: [] })).toContain('invalid_frame request_id: ');
    expect(refusal({ type: 'watch', task_ids: ['x'] })).toContain('invalid_frame task_ids.0: ');
    expect(() => readSubmitterMessage('{')).toThrow('the frame is not JSON');
    expect(() => readSubmitterMessage(new ArrayBuffer(1))).toThrow('a text frame');
    expect(() => readSubmitterMessage(' '.repeat(limits.maxJsonBodyBytes + 1))).toThrow('at most');
    expect(readSubmitterMessage('[1, {}]')).toEqual([1, {}]);
  });
});
