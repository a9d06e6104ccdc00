import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fromBase64Url,
  keyRing,
  maxTokenTtlSeconds,
  readSigned,
  scopes,
  sign,
  signToken,
  toBase64Url,
  verifyToken,
  type Claims,
} from '#protocol';

const secret = 'a secret that is long enough for a test';
const other = 'another secret that is as long as the first';
const keys = keyRing(secret);
const nowMs = Date.UTC(2030, 0, 1);
const claims = { sub: 'ada', scope: ['read', 'submit'], exp: nowMs / 1000 + 60, jti: 'one' } satisfies Omit<
  Claims,
  'kid'
>;

/** The code of the error that `action` throws. */
function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'no error';
}

describe('base64url', () => {
  it('gives back any bytes, as Node writes them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
        expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
      }),
    );
  });

  it.each(['A', 'AAAAA', 'AB', 'AAB', 'A=', 'A+AA', 'é'])('refuses %s, which no bytes encode to', (text) => {
    expect(fromBase64Url(text)).toBeNull();
  });
});

describe('a token', () => {
  it('gives back its claims and names its key', () => {
    expect(verifyToken(signToken(claims, keys), keys, nowMs)).toEqual({ ...claims, kid: keys[0].kid });
  });

  it('carries any subject in characters that a subprotocol allows', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 128 }), (sub) => {
        const token = signToken({ ...claims, sub }, keys);
        expect(token).toMatch(/^[\w.-]+$/);
        expect(verifyToken(token, keys, nowMs).sub).toBe(sub);
      }),
    );
  });

  it('is refused when any one character is changed', () => {
    const token = signToken(claims, keys);
    for (let i = 0; i < token.length; i++) {
      const forged = token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1);
      expect(codeOf(() => verifyToken(forged, keys, nowMs))).toBe('unauthorized');
    }
  });

  it.each([
    '',
    '.',
    'a.b',
    'a.b.c',
    '..',
    'null',
    `${toBase64Url(new Uint8Array(3))}.${toBase64Url(new Uint8Array(32))}`,
  ])('is refused when it is rubbish: %j', (token) => {
    expect(codeOf(() => verifyToken(token, keys, nowMs))).toBe('unauthorized');
  });

  it('is refused when another secret signed it', () => {
    expect(codeOf(() => verifyToken(signToken(claims, keyRing(other)), keys, nowMs))).toBe('unauthorized');
  });

  it('counts until the second of its expiry, and not at it', () => {
    const token = signToken(claims, keys);
    expect(verifyToken(token, keys, claims.exp * 1000 - 1).jti).toBe('one');
    expect(codeOf(() => verifyToken(token, keys, claims.exp * 1000))).toBe('token_expired');
  });

  it('is refused when it would live longer than a revocation is remembered', () => {
    const exp = nowMs / 1000 + maxTokenTtlSeconds;
    expect(verifyToken(signToken({ ...claims, exp }, keys), keys, nowMs).exp).toBe(exp);
    expect(codeOf(() => verifyToken(signToken({ ...claims, exp: exp + 1 }, keys), keys, nowMs))).toBe('unauthorized');
  });

  it.each([
    ['an unknown scope', { ...claims, scope: ['root'] }],
    ['no scope', { ...claims, scope: [] }],
    ['no subject', { ...claims, sub: '' }],
    ['an expiry that is no number', { ...claims, exp: 'never' }],
    ['a further claim', { ...claims, colour: 'red' }],
  ])('is refused when it was signed with %s', (_what, odd) => {
    const token = sign('tabgrid.token.v1.', { ...odd, kid: keys[0].kid }, keys[0]);
    expect(codeOf(() => verifyToken(token, keys, nowMs))).toBe('unauthorized');
  });

  it('does not count when it was signed for another purpose', () => {
    const challenge = sign('tabgrid.other.v1.', { ...claims, kid: keys[0].kid }, keys[0]);
    expect(codeOf(() => verifyToken(challenge, keys, nowMs))).toBe('unauthorized');
    expect(readSigned('tabgrid.other.v1.', challenge, keys)).toMatchObject(claims);
  });

  it('knows every scope', () => {
    expect(verifyToken(signToken({ ...claims, scope: [...scopes] }, keys), keys, nowMs).scope).toEqual([...scopes]);
  });
});

describe('a key ring', () => {
  it('signs with the first secret and verifies with all, so that secrets can be rotated', () => {
    const rotated = keyRing(`${other}, ${secret}`);
    const old = signToken(claims, keys);
    const fresh = signToken(claims, rotated);
    expect(verifyToken(old, rotated, nowMs).kid).toBe(keys[0].kid);
    expect(verifyToken(fresh, rotated, nowMs).kid).toBe(keyRing(other)[0].kid);
    expect(codeOf(() => verifyToken(fresh, keys, nowMs))).toBe('unauthorized');
  });

  it.each([undefined, '', 'short', `${secret},`, `${secret},short`])('is not configured with %j', (secrets) => {
    expect(codeOf(() => keyRing(secrets))).toBe('not_configured');
  });

  it('names a secret by 8 hex digits', () => {
    expect(keys[0].kid).toMatch(/^[0-9a-f]{8}$/);
  });
});
