import { z } from 'zod';
import { request } from './api.ts';
import { loadIdentity } from './identity.ts';

const challengeSchema = z.object({ challenge: z.string() });
const tokenSchema = z.object({ token: z.string() });

/**
 * Gets a `volunteer` token for this browser’s own key: the edge sets a challenge, the key signs it.
 *
 * @throws TabgridError what the edge refuses with; `unavailable` when it cannot be reached.
 */
export async function enrol(): Promise<string> {
  const identity = await loadIdentity();
  const public_key = identity.publicKey;
  const { challenge } = challengeSchema.parse(await post({ public_key }));
  const signature = await identity.sign(challenge);
  return tokenSchema.parse(await post({ public_key, challenge, signature })).token;
}

function post(body: object): Promise<unknown> {
  return request('/v1/volunteers', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}
