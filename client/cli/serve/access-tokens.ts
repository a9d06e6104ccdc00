import { randomUUID } from 'node:crypto';
import { keyRing, signToken, verifyToken, type Scope } from '#protocol';
import { serveDefaults } from '../config.ts';
import { readOrUndefined, writePrivateFile, type StateDir } from './state-dir.ts';

/** Signs a token with a deployment’s secret. */
export function mintToken(secret: string, subject: string, scope: readonly Scope[], ttlSeconds: number): string {
  const exp = Math.floor(Date.now() / 1000) + ttlSeconds;
  return signToken({ sub: subject, scope: [...scope], exp, jti: randomUUID() }, keyRing(secret));
}

/** The admin token of this machine: the one that is there while it is good for a while, else a new one. */
export async function adminToken(state: StateDir, secret: string): Promise<string> {
  const kept = await readOrUndefined(state.token);
  if (kept !== undefined && lastsLongEnough(kept, secret)) return kept;
  const made = mintToken(secret, 'admin', ['admin'], serveDefaults.adminTokenTtlSeconds);
  await writePrivateFile(state.token, made);
  return made;
}

function lastsLongEnough(token: string, secret: string): boolean {
  try {
    const { exp } = verifyToken(token, keyRing(secret), Date.now());
    return exp * 1000 > Date.now() + (serveDefaults.adminTokenTtlSeconds * 1000) / 2;
  } catch {
    return false;
  }
}
