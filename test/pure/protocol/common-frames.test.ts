import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCommonFrame, isoTime, workerFrameSchema, type Json } from '#protocol';
import { omit } from '../../../edge/lib/omit.ts';

const id = '0-01jdqz0000abcdefghjkmnpqrs';
const attempt = { task_id: id, attempt: 1 };
const report = { ...attempt, outcome: { type: 'success', result: { values: [1] } }, runtime_ms: 0.5 };
const common: readonly Json[] = [
  { type: 'outcomes', items: [report, report], credits: 2 },
  { type: 'outcomes', items: [], credits: 0 },
  { type: 'credits', add: 1 },
  { type: 'started', items: [{ task_id: id, attempt: 3 }] },
];

const oddities = [0, -1, 1.5, 1000, 1001, 2 ** 53, Infinity, '1', `${id}x`, null, true, [], {}, 'failure', undefined];

/** Every frame that differs from `value` in one place: another value there, the member gone, one more beside it. */
function* spoilt(value: Json | undefined): Generator<Json | undefined> {
  yield* oddities as Json[];
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const other of spoilt(item)) yield value.toSpliced(index, 1, other as Json);
    }
    return;
  }
  yield { ...value, more: 1 };
  yield JSON.parse(`{"__proto__":1,${JSON.stringify(value).slice(1)}`) as Json;
  for (const [key, member] of Object.entries(value)) {
    yield omit(value, key);
    for (const other of spoilt(member)) yield { ...value, [key]: other as Json };
  }
}

describe('the quick look at frames', () => {
  it('takes what workers say most of the time', () => {
    expect(common.map(isCommonFrame)).toEqual(common.map(() => true));
    expect(isCommonFrame({ type: 'outcomes', items: Array.from({ length: 201 }, () => report), credits: 2 })).toBe(
      false,
    );
  });

  it('takes nothing that the schema would not take as it is', () => {
    const differing = common.flatMap((frame) => [...spoilt(frame)]).filter(isCommonFrame);
    expect(differing.length).toBeGreaterThan(20);
    for (const frame of differing) expect(workerFrameSchema.parse(frame)).toEqual(frame);
  });

  it('takes no rubbish either', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('outcomes', 'credits', 'started'), (items, type) => {
        for (const frame of [items, { type, items }, { type, items: [items], credits: 1 }, { type, add: items }]) {
          if (isCommonFrame(frame)) expect(workerFrameSchema.parse(frame)).toEqual(frame);
        }
      }),
    );
  });
});

describe('a time as text', () => {
  it('is what the host writes', () => {
    const times = fc.oneof(
      fc.integer(),
      fc.integer({ min: -8.64e15, max: 8.64e15 }),
      fc.double({ min: -1e13, max: 1e13, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(times, { maxLength: 3 }), (list) => {
        for (const ms of list) expect(isoTime(ms)).toBe(new Date(ms).toISOString());
      }),
    );
  });
});
