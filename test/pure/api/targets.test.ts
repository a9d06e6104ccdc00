import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkerId } from '#protocol';
import { matchTargets } from '../../../edge/api/targets.ts';

function isMeant(text: string, target: string): boolean {
  return matchTargets([{ worker_id: text as WorkerId, name: '' }], [target]).matched.size > 0;
}

describe('a target', () => {
  it.each([
    ['tab-1', 'tab-1', true],
    ['tab-1', 'tab', false],
    ['tab-1', '*', true],
    ['tab-1', 'tab*1', true],
    ['tab', 'tab*b', false],
    ['tabb', 'tab*b', true],
    ['a.b', 'a?b*', false],
  ])('%s by %s is meant: %s', (text, target, expected) => {
    expect(isMeant(text, target)).toBe(expected);
  });

  it('means what a regular expression would say', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(word, word, (text, target) => {
        const pattern = new RegExp(`^${target.replaceAll('*', '.*')}$`);
        expect(isMeant(text, target)).toBe(pattern.test(text));
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it('that a regular expression would try for ages is looked at once', () => {
    expect(isMeant('a'.repeat(128), `${'*a'.repeat(60)}*b`)).toBe(false);
    expect(isMeant(`${'a'.repeat(127)}b`, `${'*a'.repeat(60)}*b`)).toBe(true);
  });
});
