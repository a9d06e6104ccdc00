import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRate } from '#protocol';
import { Pacer } from '../../../edge/broker/flow/pacer.ts';

/** When starts happen, to the ms, if somebody asks at these times and always wants more. */
function startsOf(pacer: Pacer, asksMs: readonly number[]): number[] {
  return asksMs.flatMap((nowMs) => {
    const starts: number[] = [];
    while (pacer.waitMs(nowMs) === 0) {
      pacer.take(nowMs);
      starts.push(nowMs);
    }
    return starts;
  });
}

const rate = fc
  .record({ count: fc.integer({ min: 1, max: 2000 }), unit: fc.constantFrom('s', 'm', 'h') })
  .map(({ count, unit }) => `${count}/${unit}`);

describe('a rate', () => {
  it('is exceeded in no window of its length, whenever it is asked', () => {
    fc.assert(
      fc.property(rate, fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 60 }), (text, gaps) => {
        const { count, windowMs } = parseRate(text);
        const asks: number[] = [];
        for (const gap of gaps) asks.push((asks.at(-1) ?? 1_000_000) + gap);
        const starts = startsOf(new Pacer({ count, windowMs }), asks);
        for (let first = 0; first + count < starts.length; first++) {
          expect(starts[first + count]! - starts[first]!).toBeGreaterThanOrEqual(windowMs);
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['10/s', 100, 10],
    ['100/m', 6000, 10],
    ['1000/s', 10, 9.8],
    ['0.5/m', 1_200_000, 10],
  ])('%s lets start what it promises, if it is asked when it says', (text, forMs, atLeast) => {
    const pacer = new Pacer(parseRate(text));
    let starts = 0;
    for (let nowMs = 0; nowMs < forMs * 10; nowMs += Math.max(1, pacer.waitMs(nowMs))) {
      while (pacer.waitMs(nowMs) === 0) {
        pacer.take(nowMs);
        starts++;
      }
    }
    const { count, windowMs } = parseRate(text);
    expect((starts / ((count * forMs) / windowMs)) * 1).toBeGreaterThanOrEqual(atLeast);
  });

  it('goes on where it was when it is stored and read', () => {
    const before = new Pacer(parseRate('1/m'));
    before.take(1000);
    const after = new Pacer(parseRate('1/m'), before.dueMs);
    expect(after.waitMs(1000)).toBe(60_000);
    expect(after.waitMs(61_000)).toBe(0);
  });

  it('is not spent by what does not start', () => {
    const pacer = new Pacer(parseRate('1/m'));
    pacer.take(1000);
    pacer.giveBack();
    expect(pacer.waitMs(1000)).toBe(0);
  });
});
