import { z } from 'zod';
import { invalidRequest, isoTime, maxTokenTtlSeconds, scopes, toBase64Url, type Principal } from '#protocol';
import { admissionLimits, clientAddress } from '../auth/addresses.ts';
import { checkAnswer, makeChallenge, publicKeySchema, thumbprint } from '../auth/enrolment.ts';
import { keysOf } from '../auth/keys.ts';
import { mint } from '../auth/mint.ts';
import { forgetRevocations } from '../auth/revocations.ts';
import { tokensObject } from '../auth/tokens-rpc.ts';
import type { RequestKey } from '../broker/rpc.ts';
import { call } from '../lib/rpc.ts';
import { json } from './respond.ts';
import { route, type Route } from './route.ts';

const dayS = 86_400;
/** A volunteer enrols again after this. */
const volunteerTtlSeconds = 12 * 3600;
const tag = 'tokens';

const ttlSchema = z.int().min(1).max(maxTokenTtlSeconds);
const subSchema = z.string().min(1).max(128);

/** Keys of different askers never meet. */
function ownKey(principal: Principal, request: RequestKey | null): RequestKey | null {
  return request === null ? null : { ...request, key: `${principal.sub}\n${request.key}` };
}

export const tokenRoutes: readonly Route[] = [
  route(
    {
      method: 'post',
      path: '/v1/tokens',
      access: ['admin'],
      tag,
      summary: 'Mints a token.',
      body: z.strictObject({
        scope: z.array(z.enum(scopes)).min(1),
        sub: subSchema.optional().describe('Who will own what it submits. Default: the asker.'),
        ttl: ttlSchema.default(30 * dayS).describe('Seconds for which it counts.'),
      }),
      answers: { 201: { description: 'The token; it is not shown again.', component: 'Token' } },
      errors: ['idempotency_conflict'],
    },
    async ({ env, clock, principal, body, requestKey }) => {
      const grant = { sub: body.sub ?? principal.sub, scope: [...new Set(body.scope)], ttlSeconds: body.ttl };
      return json(await mint(env, clock, grant, ownKey(principal, requestKey)), 201);
    },
  ),
  route(
    {
      method: 'post',
      path: '/v1/tokens/:jti/revoke',
      access: ['admin'],
      tag,
      summary: 'Makes the token with this id count no more, within seconds everywhere.',
      description: 'Sockets that are open already stay so until they reconnect. Repeating it changes nothing.',
      params: z.object({ jti: z.string().min(1).max(64) }),
      body: z.strictObject({}),
      bodyOptional: true,
      answers: { 200: { description: 'It is revoked.', component: 'Revoked' } },
      errors: ['conflict'],
    },
    async ({ env, clock, params: { jti } }) => {
      await call(tokensObject(env).revoke(jti, Math.ceil(clock.now() / 1000) + maxTokenTtlSeconds));
      forgetRevocations();
      return json({ jti });
    },
  ),
  route(
    {
      method: 'post',
      path: '/v1/invites',
      access: ['admin'],
      tag,
      summary: 'Makes a link by which tabs join as trusted workers.',
      description:
        'Its token has the scopes `work` and `read`. It stands behind the `#`, which browsers send to nobody. Whoever has the link can compute, and see what `sub` owns, until it expires or is revoked.',
      body: z.strictObject({
        sub: subSchema.optional().describe('Whose campaigns the tab may show. Default: the asker’s.'),
        ttl: ttlSchema.default(7 * dayS).describe('Seconds for which it counts.'),
      }),
      bodyOptional: true,
      answers: { 201: { description: 'The link.', component: 'Invite' } },
      errors: ['idempotency_conflict'],
    },
    async ({ env, clock, request, principal, body, requestKey }) => {
      const grant = { sub: body.sub ?? principal.sub, scope: ['work', 'read'] as const, ttlSeconds: body.ttl };
      const { token, jti, expires_at } = await mint(env, clock, grant, ownKey(principal, requestKey));
      return json({ url: `${new URL(request.url).origin}/#invite=${token}`, token, jti, expires_at }, 201);
    },
  ),
  route(
    {
      method: 'post',
      path: '/v1/volunteers',
      access: 'public',
      tag,
      summary:
        'Enrols a stranger’s tab: answers its public key with a challenge, and the signed challenge with a token.',
      description:
        'First send `public_key` (JWK: P-256 or Ed25519). Sign the UTF-8 of the `challenge` as it is, and send `public_key`, `challenge` and `signature` (base64url; for P-256 as WebCrypto writes it). The token has the scope `volunteer`. Enrolments are limited per address and network; repeating one is harmless.',
      body: z.strictObject({
        public_key: publicKeySchema,
        challenge: z.string().max(1000).optional(),
        signature: z.string().max(200).optional(),
      }),
      answers: {
        200: { description: 'Sign this within two minutes.', component: 'Challenge' },
        201: { description: 'Enrolled.', component: 'Token' },
      },
      errors: ['unauthorized', 'token_expired', 'rate_limited'],
    },
    async ({ env, clock, request, body: { public_key: publicKey, challenge, signature } }) => {
      const keys = keysOf(env);
      if (challenge === undefined && signature === undefined) {
        const made = makeChallenge(publicKey, keys, clock.now(), toBase64Url(clock.randomBytes(16)));
        return json({ challenge: made.challenge, expires_at: isoTime(made.expiresMs) });
      }
      if (challenge === undefined || signature === undefined) {
        const path = challenge === undefined ? 'challenge' : 'signature';
        throw invalidRequest({ path, message: 'expected challenge and signature together' });
      }
      await call(tokensObject(env).admit(admissionLimits(clientAddress(request), keys)));
      await checkAnswer(publicKey, { challenge, signature }, keys, clock.now());
      const grant = {
        sub: `volunteer:${thumbprint(publicKey)}`,
        scope: ['volunteer'] as const,
        ttlSeconds: volunteerTtlSeconds,
      };
      return json(await mint(env, clock, grant, null), 201);
    },
  ),
];
