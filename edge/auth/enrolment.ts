import { z } from 'zod';
import { canonicalJson, fromBase64Url, readSigned, sha256Hex, sign, TabgridError, type KeyRing } from '#protocol';

/**
 * How a stranger’s tab gets its token: it sends its public key, signs the challenge that it is answered with, and sends both back. The
 * challenge carries its own proof of origin, so that nothing is stored until the signature is there.
 */
const challengePurpose = 'tabgrid.challenge.v1.';
const challengeTtlMs = 120_000;

const coordinate = z.string().regex(/^[\w-]{43}$/, 'expected 32 bytes in base64url');
/** What browsers add to an exported key. It says nothing that is needed; a private part (`d`) is refused as an unknown key. */
const ignored = {
  alg: z.string().max(20).optional(),
  ext: z.boolean().optional(),
  key_ops: z.array(z.string().max(20)).max(8).optional(),
};

export const publicKeySchema = z.discriminatedUnion('kty', [
  z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate, ...ignored }),
  z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate, ...ignored }),
]);
export type PublicKey = z.infer<typeof publicKeySchema>;

const challengeSchema = z.strictObject({ key: z.string(), expires_ms: z.number(), nonce: z.string() });

/** The hash that stands for a public key (RFC 7638, in hex). */
export function thumbprint(key: PublicKey): string {
  const { crv, kty, x } = key;
  return sha256Hex(canonicalJson(key.kty === 'EC' ? { crv, kty, x, y: key.y } : { crv, kty, x }));
}

export interface Challenge {
  /** The text that is to be signed, as it is. */
  challenge: string;
  expiresMs: number;
}

export function makeChallenge(key: PublicKey, keys: KeyRing, nowMs: number, nonce: string): Challenge {
  const expiresMs = nowMs + challengeTtlMs;
  const claims = { key: thumbprint(key), expires_ms: expiresMs, nonce };
  return { challenge: sign(challengePurpose, claims, keys[0]), expiresMs };
}

/**
 * Checks that the holder of `key` has signed a challenge that was made for it, and not long ago.
 * @param signature base64url: 64 bytes, for P-256 r and s as WebCrypto writes them.
 * @throws TabgridError `unauthorized`
 */
export async function checkAnswer(
  key: PublicKey,
  answer: { challenge: string; signature: string },
  keys: KeyRing,
  nowMs: number,
): Promise<void> {
  const challenge = challengeSchema.safeParse(readSigned(challengePurpose, answer.challenge, keys));
  if (!challenge.success || challenge.data.key !== thumbprint(key)) {
    throw new TabgridError('unauthorized', 'the challenge was not made here for this key');
  }
  if (challenge.data.expires_ms <= nowMs) throw new TabgridError('token_expired', 'the challenge has expired');
  const signature = fromBase64Url(answer.signature);
  if (signature === null || !(await isSigned(key, signature, new TextEncoder().encode(answer.challenge)))) {
    throw new TabgridError('unauthorized', 'the signature is not one of the challenge by this key');
  }
}

const algorithms = {
  EC: { key: { name: 'ECDSA', namedCurve: 'P-256' }, signature: { name: 'ECDSA', hash: 'SHA-256' } },
  OKP: { key: { name: 'Ed25519' }, signature: { name: 'Ed25519' } },
} as const;

async function isSigned(key: PublicKey, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  const { kty, crv, x } = key;
  const jwk = key.kty === 'EC' ? { kty, crv, x, y: key.y } : { kty, crv, x };
  const algorithm = algorithms[kty];
  try {
    const imported = await crypto.subtle.importKey('jwk', jwk, algorithm.key, false, ['verify']);
    return await crypto.subtle.verify(algorithm.signature, imported, signature, message);
  } catch {
    // What WebCrypto cannot import is a point that does not lie on the curve.
    return false;
  }
}
