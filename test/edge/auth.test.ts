import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import { toBase64Url, verifyToken, keyRing } from '#protocol';
import type { Tokens } from '../../edge/auth/tokens.ts';
import { maxRevocations } from '../../edge/auth/tokens-rpc.ts';
import { ask, faultPaths, origin, refusal, testEnv, tokenFor } from './helpers/api.ts';

const admin = tokenFor(['admin'], { sub: 'root' });
const keys = keyRing(testEnv.TABGRID_SECRET);
const tokensStub = testEnv.TOKENS.get(testEnv.TOKENS.idFromName('main'));

interface Minted {
  token: string;
  jti: string;
  sub: string;
  scope: string[];
  expires_at: string;
}

async function minted(path: string, json: unknown, headers: Record<string, string> = {}): Promise<Minted> {
  const answer = await ask('POST', path, { token: admin, json, headers });
  expect(answer.status).toBe(201);
  return answer.json();
}

/** Lets the object’s time pass. */
function later(ms: number): Promise<void> {
  return runInDurableObject(tokensStub, (tokens: Tokens) => {
    const { clock } = tokens;
    tokens.clock = { ...clock, now: () => clock.now() + ms };
  });
}

describe('an admin', () => {
  it('mints tokens that say what was asked for', async () => {
    const { token, ...view } = await minted('/v1/tokens', { sub: 'ada', scope: ['read', 'read'], ttl: 60 });
    const claims = verifyToken(token, keys, Date.now());
    expect(claims).toMatchObject({ sub: 'ada', scope: ['read'], jti: view.jti });
    expect(view).toMatchObject({ sub: 'ada', scope: ['read'], expires_at: new Date(claims.exp * 1000).toISOString() });
    expect((await ask('GET', '/v1/queues', { token })).status).toBe(200);
  });

  it('gets the same token again under the same key, and a conflict for another wish', async () => {
    const headers = { 'idempotency-key': 'k1' };
    const wish = { scope: ['read'], ttl: 600 };
    expect(await minted('/v1/tokens', wish, headers)).toEqual(await minted('/v1/tokens', wish, headers));
    expect((await minted('/v1/tokens', wish)).jti).not.toBe((await minted('/v1/tokens', wish)).jti);
    const other = await ask('POST', '/v1/tokens', { token: admin, json: { ...wish, ttl: 601 }, headers });
    expect(await refusal(other)).toMatchObject({ status: 409, code: 'idempotency_conflict' });
    const elsewhere = await ask('POST', '/v1/invites', { token: admin, json: {}, headers });
    expect(await refusal(elsewhere)).toMatchObject({ status: 409, code: 'idempotency_conflict' });
  });

  it.each([
    [{ scope: [] }, ['scope']],
    [{ scope: ['root'] }, ['scope.0']],
    [{ scope: ['read'], ttl: 0 }, ['ttl']],
    [{ scope: ['read'], ttl: 367 * 86_400 }, ['ttl']],
    [{ scope: ['read'], sub: '' }, ['sub']],
  ])('is told what is wrong with %j', async (json, paths) => {
    expect(await faultPaths(await ask('POST', '/v1/tokens', { token: admin, json }))).toEqual(paths);
  });

  it('makes invite links whose tokens work and read, and no more', async () => {
    const invite = await (await ask('POST', '/v1/invites', { token: admin })).json<{ url: string; token: string }>();
    expect(invite.url).toBe(`${origin}/#invite=${invite.token}`);
    expect(verifyToken(invite.token, keys, Date.now())).toMatchObject({ sub: 'root', scope: ['work', 'read'] });
    expect((await ask('POST', '/v1/tasks', { token: invite.token, json: { task: 'ping' } })).status).toBe(403);
  });

  it('revokes tokens, at once and again', async () => {
    const { token, jti } = await minted('/v1/tokens', { scope: ['read'] });
    expect((await ask('GET', '/v1/queues', { token })).status).toBe(200);
    for (let i = 0; i < 2; i++) {
      expect(await (await ask('POST', `/v1/tokens/${jti}/revoke`, { token: admin })).json()).toEqual({ jti });
    }
    expect(await refusal(await ask('GET', '/v1/queues', { token }))).toMatchObject({
      status: 401,
      code: 'unauthorized',
    });
  });
});

describe('the Tokens object', () => {
  it('holds a bounded number of revocations, until their tokens have expired by themselves', async () => {
    const now = Math.ceil(Date.now() / 1000);
    await runInDurableObject(tokensStub, (_tokens: Tokens, { storage }) => {
      storage.transactionSync(() => {
        for (let i = 0; i < maxRevocations; i++) {
          storage.sql.exec('INSERT OR REPLACE INTO revoked VALUES (?, ?)', `old-${i}`, (now + 10) * 1000);
        }
      });
    });
    expect(await tokensStub.revoke('one-more', now + 100)).toMatchObject({ error: { code: 'conflict' } });
    await later(20_000);
    await later(2 * 3_600_000);
    await runDurableObjectAlarm(tokensStub);
    expect(await tokensStub.revoke('one-more', now + 2 * 3_600_000 + 100)).toEqual({ ok: null });
    expect(await tokensStub.revoked()).toMatchObject({ ok: expect.arrayContaining(['one-more']) });
    // They are deleted in batches, one after the other.
    for (let batch = 0; batch < 11; batch++) await runDurableObjectAlarm(tokensStub);
    await runInDurableObject(tokensStub, (_tokens: Tokens, { storage }) => {
      expect(storage.sql.exec(`SELECT count(*) AS old FROM revoked WHERE jti LIKE 'old-%'`).one()).toEqual({ old: 0 });
    });
  });
});

interface Volunteer {
  publicKey: JsonWebKey;
  sign: (text: string) => Promise<string>;
}

async function volunteer(kind: 'P-256' | 'Ed25519'): Promise<Volunteer> {
  const algorithm = kind === 'P-256' ? { name: 'ECDSA', namedCurve: kind } : { name: kind };
  const pair = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair;
  const publicKey = (await crypto.subtle.exportKey('jwk', pair.publicKey)) as JsonWebKey;
  return {
    publicKey,
    async sign(text) {
      const with256 = kind === 'P-256' ? { name: 'ECDSA', hash: 'SHA-256' } : { name: kind };
      const signature = await crypto.subtle.sign(with256, pair.privateKey, new TextEncoder().encode(text));
      return toBase64Url(new Uint8Array(signature));
    },
  };
}

function enrol(json: unknown, address?: string): Promise<Response> {
  return ask('POST', '/v1/volunteers', {
    json,
    ...(address === undefined ? {} : { headers: { 'cf-connecting-ip': address }, cf: { colo: 'VIE' } }),
  });
}

async function challengeFor(publicKey: JsonWebKey): Promise<string> {
  const answer = await enrol({ public_key: publicKey });
  expect(answer.status).toBe(200);
  return (await answer.json<{ challenge: string }>()).challenge;
}

async function enrolled({ publicKey, sign }: Volunteer, address?: string): Promise<Response> {
  const challenge = await challengeFor(publicKey);
  return enrol({ public_key: publicKey, challenge, signature: await sign(challenge) }, address);
}

describe('a volunteer', () => {
  // Each test has an hour of its own: what others have used up is over.
  beforeEach(() => later(2 * 3_600_000));

  it.each(['P-256', 'Ed25519'] as const)('with a %s key enrols, under one name for one key', async (kind) => {
    const tab = await volunteer(kind);
    const first = await (await enrolled(tab)).json<Minted>();
    const second = await (await enrolled(tab)).json<Minted>();
    expect(first.scope).toEqual(['volunteer']);
    expect(first.sub).toMatch(/^volunteer:[0-9a-f]{64}$/);
    expect(second.sub).toBe(first.sub);
    const claims = verifyToken(first.token, keys, Date.now());
    expect(claims.exp * 1000 - Date.now()).toBeLessThanOrEqual(12 * 3_600_000);
    expect((await ask('GET', '/v1/worker', { token: first.token })).status).toBe(426);
    expect((await ask('GET', '/v1/queues', { token: first.token })).status).toBe(403);
  });

  it('is refused with a signature by another key, of another text, or for another key', async () => {
    const [tab, other] = [await volunteer('P-256'), await volunteer('P-256')];
    const challenge = await challengeFor(tab.publicKey);
    for (const wrong of [
      { public_key: tab.publicKey, challenge, signature: await other.sign(challenge) },
      { public_key: tab.publicKey, challenge, signature: await tab.sign(`${challenge}x`) },
      { public_key: tab.publicKey, challenge, signature: 'AAAA' },
      { public_key: tab.publicKey, challenge, signature: '' },
      { public_key: other.publicKey, challenge, signature: await other.sign(challenge) },
      { public_key: tab.publicKey, challenge: 'made.up', signature: await tab.sign('made.up') },
      { public_key: tab.publicKey, challenge: admin, signature: await tab.sign(admin) },
    ]) {
      expect(await refusal(await enrol(wrong))).toMatchObject({ status: 401, code: 'unauthorized' });
    }
  });

  it('cannot use a challenge as a token', async () => {
    const challenge = await challengeFor((await volunteer('Ed25519')).publicKey);
    expect((await ask('GET', '/v1/worker', { token: challenge })).status).toBe(401);
  });

  it('is told which part of a key does not fit, and never sends the private one', async () => {
    const { publicKey } = await volunteer('P-256');
    const x = 'A'.repeat(43);
    for (const [key, path] of [
      [{ ...publicKey, d: x }, 'public_key.d'],
      [{ ...publicKey, x: 'short' }, 'public_key.x'],
      [{ ...publicKey, crv: 'P-384' }, 'public_key.crv'],
      [{ kty: 'RSA', n: x, e: 'AQAB' }, 'public_key.kty'],
    ] as const) {
      expect(await faultPaths(await enrol({ public_key: key }))).toContain(path);
    }
    expect(await faultPaths(await enrol({ public_key: publicKey, challenge: 'x' }))).toEqual(['signature']);
    const offCurve = { kty: 'EC', crv: 'P-256', x, y: x };
    const challenge = await challengeFor(offCurve);
    expect((await enrol({ public_key: offCurve, challenge, signature: x })).status).toBe(401);
  });

  it('is one of 60 from an address and 600 from a network in an hour', async () => {
    const tab = await volunteer('Ed25519');
    const challenge = await challengeFor(tab.publicKey);
    const answer = { public_key: tab.publicKey, challenge, signature: await tab.sign(challenge) };
    for (let i = 0; i < 60; i++) expect((await enrol(answer, '203.0.113.7')).status).toBe(201);
    const refused = await enrol(answer, '203.0.113.7');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3000);
    expect(await refusal(refused)).toMatchObject({ status: 429, code: 'rate_limited' });
    expect((await enrol(answer, '203.0.113.8')).status).toBe(201);
    await later(3_600_000);
    expect((await enrol(answer, '203.0.113.7')).status).toBe(201);
  });
});
