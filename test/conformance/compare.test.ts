import { describe, expect, it } from 'vitest';
import { differences, sameNames } from './compare.ts';
import { executable } from './engines/child.ts';

describe('comparing digests', () => {
  const pinned = { mlp: { relu: 'a', tanh: 'b' }, rng: { words: 'c' } };

  it('finds nothing where all are equal, in whatever order', () => {
    expect(differences({ rng: { words: 'c' }, mlp: { tanh: 'b', relu: 'a' } }, pinned)).toEqual([]);
  });

  it('names each digest that differs, that is missing, and that is new', () => {
    const computed = { mlp: { relu: 'x', gelu: 'y' }, gp: { rbf: 'z' } };
    expect(differences(computed, pinned)).toEqual(['mlp, relu', 'mlp, tanh', 'mlp, gelu', 'rng, words', 'gp, rbf']);
  });

  it('leaves out what a relay has not computed, but not what is not pinned', () => {
    const computed = { mlp: { relu: 'a', gelu: 'y' } };
    expect(differences(computed, sameNames(pinned, computed))).toEqual(['mlp, gelu']);
  });
});

describe('an engine that is not installed', () => {
  it('is missed in a sentence that says what to do', () => {
    expect(() => executable('Firefox', 'run "npm run setup".', ['/nowhere/firefox'])).toThrow(
      'Firefox is missing: run "npm run setup".',
    );
  });
});
