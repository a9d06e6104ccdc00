import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits, TabgridError } from '#protocol';
import { filePathOf } from '../../../edge/files/paths.ts';
import { checkPreconditions, etagOf, namesVersion } from '../../../edge/files/preconditions.ts';
import { contentRange, parseRange } from '../../../edge/files/ranges.ts';

describe('the path of a file', () => {
  it.each([
    ['/datasets/barrel.csv', '/datasets/barrel.csv'],
    ['/with%20space/%C3%A4.csv', '/with space/ä.csv'],
    ['/a..b/..c/d..', '/a..b/..c/d..'],
    ['/%252e%252e/x', '/%2e%2e/x'],
  ])('%s names %s', (escaped, path) => {
    expect(filePathOf(escaped)).toBe(path);
  });

  it.each([
    '',
    '/',
    '//',
    '/a//b',
    '/a/',
    '/.',
    '/..',
    '/../secret',
    '/a/../../secret',
    '/%2e%2e/secret',
    '/a/%2E%2e/%2e./secret',
    '/a%2Fb',
    '/..%2fsecret',
    '/a\\..\\secret',
    '/..%5Csecret',
    '/a%00b',
    '/a%0Ab',
    '/%ff',
    '/%',
    `/${'x'.repeat(limits.maxPathChars)}`,
  ])('is refused when it is %j', (escaped) => {
    expect(() => filePathOf(escaped)).toThrow(TabgridError);
  });

  it('never has a segment that climbs out, whatever is sent', () => {
    const piece = fc.constantFrom('.', '..', '/', '%2e', '%2F', '\\', '%5c', 'a', '%25', '%', '%00', 'é');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        let path: string;
        try {
          path = filePathOf(`/${pieces.join('')}`);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_request' });
          return;
        }
        expect(path).toMatch(/^(\/[^/\\]+)+$/);
        expect(path.split('/')).not.toContain('..');
        expect(path.split('/')).not.toContain('.');
      }),
    );
  });
});

describe('a range', () => {
  it.each([
    [null, 10, 'whole'],
    ['bytes=0-3', 10, { offset: 0, length: 4 }],
    ['bytes=4-', 10, { offset: 4, length: 6 }],
    ['bytes=-3', 10, { offset: 7, length: 3 }],
    ['bytes=-30', 10, { offset: 0, length: 10 }],
    ['bytes=8-30', 10, { offset: 8, length: 2 }],
    ['bytes=9-9', 10, { offset: 9, length: 1 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=5-4', 10, 'whole'],
    ['bytes=-', 10, 'whole'],
    ['bytes=0-1,3-4', 10, 'whole'],
    ['lines=0-1', 10, 'whole'],
    ['rubbish', 10, 'whole'],
  ] as const)('%j of %d bytes is %j', (header, size, range) => {
    expect(parseRange(header, size)).toEqual(range);
  });

  it('lies within the file', () => {
    const end = fc.option(fc.nat(50), { nil: undefined });
    fc.assert(
      fc.property(end, end, fc.nat(40), (first, last, size) => {
        const range = parseRange(`bytes=${first ?? ''}-${last ?? ''}`, size);
        if (typeof range === 'string') return;
        expect(range.length).toBeGreaterThan(0);
        expect(range.offset).toBeGreaterThanOrEqual(0);
        expect(range.offset + range.length).toBeLessThanOrEqual(size);
      }),
    );
  });

  it('is told as Content-Range tells it', () => {
    expect(contentRange({ offset: 4, length: 6 }, 10)).toBe('bytes 4-9/10');
    expect(contentRange(null, 10)).toBe('bytes */10');
  });
});

describe('preconditions', () => {
  const sha = 'ab'.repeat(32);
  const tag = etagOf(sha);

  it.each([
    [tag, sha, true],
    [`W/${tag}`, sha, true],
    [`"other", ${tag}`, sha, true],
    ['*', sha, true],
    ['*', null, false],
    ['"other"', sha, false],
    [sha, sha, false],
    [tag, null, false],
  ])('%s names the version %s: %s', (tags, current, expected) => {
    expect(namesVersion(tags, current)).toBe(expected);
  });

  it.each([
    [{ ifMatch: tag, ifNoneMatch: null }, sha, true],
    [{ ifMatch: tag, ifNoneMatch: null }, null, false],
    [{ ifMatch: '"other"', ifNoneMatch: null }, sha, false],
    [{ ifMatch: null, ifNoneMatch: '*' }, null, true],
    [{ ifMatch: null, ifNoneMatch: '*' }, sha, false],
    [{ ifMatch: null, ifNoneMatch: null }, sha, true],
  ])('%j over %s lets the change through: %s', (preconditions, current, passes) => {
    if (passes) checkPreconditions(preconditions, current);
    else {
      expect(() => checkPreconditions(preconditions, current)).toThrow(
        expect.objectContaining({ code: 'precondition_failed' }),
      );
    }
  });
});
