import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalJson,
  errorBody,
  errorCodes,
  filePathSchema,
  isErrorCode,
  isFinal,
  nameSchema,
  outcomeSchema,
  resultDigest,
  retryDelayMs,
  sha256Hex,
  shardOf,
  sortableId,
  TabgridError,
  taskIdSchema,
  taskStates,
  type TaskId,
} from '#protocol';

describe('canonical JSON', () => {
  it('writes what RFC 8785 shows as its example', () => {
    const value = {
      // eslint-disable-next-line no-loss-of-precision -- the RFC’s own example
      numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('is the same for equal values, whatever the order of their keys, and reads back as them', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(text);
      }),
      { seed: 1 },
    );
  });

  it('has null for numbers that are not finite, and nothing for what is undefined', () => {
    expect(canonicalJson({ b: NaN, a: -Infinity, c: undefined, d: -0 })).toBe('{"a":null,"b":null,"d":0}');
    expect(resultDigest({ a: 1, b: [2] })).toBe(sha256Hex('{"a":1,"b":[2]}'));
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, member]) => [key, reversed(member)]));
}

describe('an id', () => {
  const random = fc.uint8Array({ minLength: 10, maxLength: 10 });
  const time = fc.integer({ min: 0, max: 2 ** 48 });

  it('sorts by time, and then by chance, as its bytes do', () => {
    fc.assert(
      fc.property(time, time, random, random, (a, b, x, y) => {
        if (a !== b) expect(sortableId(a, x) < sortableId(b, y)).toBe(a < b);
        else expect(Math.sign(Buffer.compare(x, y))).toBe(sign(sortableId(a, x), sortableId(b, y)));
      }),
      { seed: 2 },
    );
  });

  it('is its time and its chance in base 32', () => {
    const digits = '0123456789abcdefghjkmnpqrstvwxyz';
    const inBase32 = (value: bigint, length: number): string =>
      Array.from({ length }, (_, at) => digits[Number((value >> BigInt(5 * (length - 1 - at))) & 31n)]).join('');
    fc.assert(
      fc.property(time, random, (nowMs, bytes) => {
        const chance = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
        expect(sortableId(nowMs, bytes)).toBe(inBase32(BigInt(nowMs), 10) + inBase32(chance, 16));
      }),
    );
  });

  it('of a task carries its shard', () => {
    fc.assert(
      fc.property(fc.nat(9999), time, random, (shard, nowMs, bytes) => {
        const id = taskIdSchema.parse(`${shard}-${sortableId(nowMs, bytes)}`);
        expect(shardOf(id)).toBe(shard);
      }),
      { seed: 3 },
    );
  });

  it.each(['', '0-', '0-01hf7yat00000000000000000', '0-01hf7yat0000000000000000i', 'x-01hf7yat000000000000000000', 7])(
    '%o is none of a task',
    (text) => {
      expect(taskIdSchema.safeParse(text as TaskId).success).toBe(false);
    },
  );
});

function sign(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

describe('a retry', () => {
  const policy = { baseDelayMs: 60_000, factor: 2, maxDelayMs: 600_000, jitter: false };

  it('waits 60·2ⁿ s, at most 600', () => {
    expect([0, 1, 2, 3, 4, 100].map((n) => retryDelayMs(policy, n, 0.3) / 1000)).toEqual([60, 120, 240, 480, 600, 600]);
  });

  it('with full jitter waits a share of it', () => {
    expect([0, 0.25, 0.999].map((random) => retryDelayMs({ ...policy, jitter: true }, 1, random))).toEqual([
      0, 30_000, 119_880,
    ]);
  });
});

describe('a file’s path', () => {
  it.each(['/a', '/datasets/barrel.csv', '/ä/b c/…', '/...'])('%s is one', (path) => {
    expect(filePathSchema.safeParse(path).success).toBe(true);
  });

  it.each(['', '/', 'a', '/a/', '//a', '/a/../b', '/..', '/./a', '/a\\b', '/a\nb', '/a\u0000', `/${'x'.repeat(512)}`])(
    '%j is none',
    (path) => {
      expect(filePathSchema.safeParse(path).success).toBe(false);
    },
  );
});

describe('a name', () => {
  it.each(['default', 'node@lab:1', 'a.b-c_d'])('may be %s', (name) => {
    expect(nameSchema.safeParse(name).success).toBe(true);
  });

  it.each(['', 'a b', 'a/b', 'ä', 'x'.repeat(129)])('may not be %j', (name) => {
    expect(nameSchema.safeParse(name).success).toBe(false);
  });
});

describe('errors', () => {
  it('have one of the closed list of codes, which are not what objects inherit', () => {
    expect(Object.keys(errorCodes).every(isErrorCode)).toBe(true);
    expect(['toString', 'constructor', '__proto__', '', null, 7].some(isErrorCode)).toBe(false);
  });

  it('become bodies with their details', () => {
    expect(errorBody(new TabgridError('not_found', 'gone', { details: { id: 7 } }))).toEqual({
      error: { code: 'not_found', message: 'gone', details: { id: 7 } },
    });
  });

  it('of tasks are checked against the list', () => {
    const failure = (type: string) => ({ type: 'failure', error: { type, message: '' }, retryable: true });
    expect(outcomeSchema.safeParse(failure('task_failed')).success).toBe(true);
    expect(outcomeSchema.safeParse(failure('made_up')).success).toBe(false);
  });
});

it('three states are final', () => {
  expect(taskStates.filter(isFinal)).toEqual(['SUCCESS', 'FAILURE', 'REVOKED']);
});
