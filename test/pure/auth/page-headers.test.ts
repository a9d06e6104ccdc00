import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const file = readFileSync(new URL('../../../client/volunteer/public/_headers', import.meta.url), 'utf8');

/** The headers of `/*`. */
const headers = new Map(
  (/^\/\*\n((?: .*\n)+)/.exec(file)?.[1] ?? '').split('\n').flatMap((line): [string, string][] => {
    const [, name, value] = /^ +([\w-]+): (.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value]];
  }),
);

describe('the headers of the pages', () => {
  it('isolate them, and let them compile WebAssembly and nothing else unsafe', () => {
    const policy = new Map(
      (headers.get('content-security-policy') ?? '').split('; ').map((directive): [string, string[]] => {
        const [name = '', ...sources] = directive.split(' ');
        return [name, sources];
      }),
    );
    expect(policy.get('script-src')).toEqual(["'self'", "'wasm-unsafe-eval'"]);
    policy.delete('script-src');
    for (const [name, sources] of policy) expect([["'none'"], ["'self'"]], name).toContainEqual(sources);
    for (const name of ['default-src', 'base-uri', 'form-action', 'frame-ancestors']) {
      expect(policy.get(name), name).toEqual(["'none'"]);
    }
  });

  it.each([
    ['cross-origin-opener-policy', 'same-origin'],
    ['cross-origin-embedder-policy', 'require-corp'],
    ['x-content-type-options', 'nosniff'],
    ['referrer-policy', 'no-referrer'],
  ])('say %s: %s', (name, value) => {
    expect(headers.get(name)).toBe(value);
  });
});
