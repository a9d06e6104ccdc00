import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantiate } from '../../../kernels/index.ts';
import { Rng, normalQuantile, philox4x32 } from '../../../kernels/rng/index.ts';
import { kernelModule } from './load.ts';

const module = await kernelModule();
const FULL = 0xffffffff;

/** Lines "philox4x32 10" of tests/kat_vectors in github.com/DEShawResearch/random123 (commit 9545ff64). */
const knownAnswers = [
  { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  { counter: [FULL, FULL, FULL, FULL], key: [FULL, FULL], words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd] },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
] as const;

describe('philox4x32', () => {
  it.each(knownAnswers)('gives the known answer for counter $counter', ({ counter, key, words }) => {
    const out = new Uint32Array(4);
    philox4x32(counter, key, out);
    expect([...out]).toEqual(words);
  });

  it('gives the known answer through a seeded generator in both languages', () => {
    const { exports } = instantiate(module);
    const rng = new Rng(0);
    const twin = exports.rngNew(0, 0, 0);
    for (const word of knownAnswers[0].words) {
      expect(rng.uint32()).toBe(word);
      expect(exports.rngUint32(twin) >>> 0).toBe(word);
    }
  });
});

describe('Rng', () => {
  const seeds = fc.maxSafeNat();

  it('draws the same numbers as the binary, in every order of calls', () => {
    const { exports } = instantiate(module);
    const calls = fc.array(
      fc.oneof(
        fc.constant({ call: 'uint32', n: 0 } as const),
        fc.constant({ call: 'uniform', n: 0 } as const),
        fc.constant({ call: 'normal', n: 0 } as const),
        fc.record({ call: fc.constant('integer' as const), n: fc.integer({ min: 1, max: FULL }) }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(seeds, seeds, fc.maxSafeNat(), calls, (seed, stream, start, sequence) => {
        const position = Math.floor(start / 2);
        const rng = Rng.restore({ seed, stream, position });
        const twin = exports.rngNew(seed, stream, position);
        for (const { call, n } of sequence) {
          if (call === 'uint32') expect(rng.uint32()).toBe(exports.rngUint32(twin) >>> 0);
          else if (call === 'uniform') expect(rng.uniform()).toBe(exports.rngUniform(twin));
          else if (call === 'normal') expect(rng.normal()).toBe(exports.rngNormal(twin));
          else expect(rng.integer(n)).toBe(exports.rngInteger(twin, n) >>> 0);
        }
        expect(rng.state().position).toBe(exports.rngPosition(twin));
      }),
      { seed: 1 },
    );
  });

  it('continues after a restore as if nothing had happened', () => {
    fc.assert(
      fc.property(seeds, fc.nat(9), (seed, drawn) => {
        const rng = new Rng(seed, 3);
        for (let i = 0; i < drawn; i++) rng.uint32();
        const twin = Rng.restore(rng.state());
        for (let i = 0; i < 10; i++) expect(twin.uint32()).toBe(rng.uint32());
      }),
      { seed: 2 },
    );
  });

  it('draws many normals at once in the binary as one after the other here', () => {
    const starts = fc.oneof(fc.nat(9), fc.integer({ min: 2 ** 34 - 300, max: 2 ** 34 + 9 }));
    fc.assert(
      fc.property(seeds, seeds, starts, fc.nat(700), (seed, stream, position, n) => {
        const rng = Rng.restore({ seed, stream, position });
        const instance = instantiate(module);
        const twin = instance.exports.rngNew(seed, stream, position);
        const pointer = instance.alloc(8 * (n + 1));
        instance.exports.rngFillNormal(twin, pointer, n);
        const drawn = instance.f64(pointer, n + 1);
        expect([...drawn]).toEqual([...Array.from({ length: n }, () => rng.normal()), 0]);
        expect(instance.exports.rngPosition(twin)).toBe(rng.state().position);
        expect(instance.exports.rngUint32(twin) >>> 0).toBe(rng.uint32());
      }),
      { seed: 3 },
    );
  });

  it('shuffles as the binary does, and keeps every item', () => {
    const instance = instantiate(module);
    const items = Uint32Array.from({ length: 1000 }, (_, i) => i);
    const pointer = instance.alloc(4 * items.length);
    instance.u32(pointer, items.length).set(items);
    instance.exports.rngShuffle(instance.exports.rngNew(7, 1, 0), pointer, items.length);
    new Rng(7, 1).shuffle(items);
    expect([...items]).toEqual([...instance.u32(pointer, items.length)]);
    expect([...items].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  it('has the moments of its distributions', () => {
    const rng = new Rng(11);
    const n = 200_000;
    let uniform = 0;
    let normal = 0;
    let squares = 0;
    let fourth = 0;
    for (let i = 0; i < n; i++) {
      uniform += rng.uniform() / n;
      const z = rng.normal();
      normal += z / n;
      squares += z ** 2 / n;
      fourth += z ** 4 / n;
    }
    // Five standard errors: √(1/12n), √(1/n), √(2/n), √(96/n).
    expect(Math.abs(uniform - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(normal)).toBeLessThan(5 * Math.sqrt(1 / n));
    expect(Math.abs(squares - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(fourth - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
  });

  it('draws integers without bias', () => {
    const rng = new Rng(5);
    const counts = new Float64Array(6);
    const n = 60_000;
    for (let i = 0; i < n; i++) counts[rng.integer(6)]! += 1;
    const chiSquared = counts.reduce((sum, count) => sum + (count - n / 6) ** 2 / (n / 6), 0);
    // 99.99 % of a χ² distribution with 5 degrees of freedom.
    expect(chiSquared).toBeLessThan(25.7);
  });

  it.each([-1, 0.5, NaN, 2 ** 53])('refuses the seed %s and says which field is wrong', (seed) => {
    expect(() => new Rng(seed)).toThrow(/^seed: expected an integer ≥ 0/);
  });

  it.each([0, -3, 1.5, 2 ** 32])('refuses to draw an integer below %s', (n) => {
    expect(() => new Rng(1).integer(n)).toThrow(/^n: expected an integer from 1 to 4294967295/);
  });
});

describe('normalQuantile', () => {
  it('gives the quantiles that Wichura prints for checking', () => {
    // Algorithm AS 241, section on test results.
    expect(normalQuantile(0.25)).toBeCloseTo(-0.6744897501960817, 15);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306167814, 14);
    expect(normalQuantile(1e-20)).toBeCloseTo(-9.2623400897984, 13);
  });

  it('is the inverse of the distribution function', () => {
    const { exports } = instantiate(module);
    for (let x = -8; x <= 4; x += 0.125) {
      expect(Math.abs(normalQuantile(exports.normalCdf(x)) - x)).toBeLessThan(
        1e-12 * (1 + Math.exp(x * x * 0.5) / 1e3),
      );
    }
  });
});
