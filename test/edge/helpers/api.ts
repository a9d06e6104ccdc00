import { env, exports } from 'cloudflare:workers';
import { keyRing, signToken, type Scope } from '#protocol';
import type { Env } from '../../../edge/env.ts';

const { default: worker } = exports as unknown as { default: Fetcher };

export const origin = 'https://grid.test';
export const testEnv = env as unknown as Env;
const keys = keyRing(testEnv.TABGRID_SECRET);
let minted = 0;

/** A token of this deployment. */
export function tokenFor(scope: Scope[], claims: { sub?: string; ttlSeconds?: number; jti?: string } = {}): string {
  const { sub = 'ada', ttlSeconds = 3600, jti = `jti-${minted++}` } = claims;
  return signToken({ sub, scope, exp: Math.floor(Date.now() / 1000) + ttlSeconds, jti }, keys);
}

export interface Ask {
  token?: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  body?: BodyInit;
  cf?: Record<string, unknown>;
}

/** Sends a request to the Worker as a client would. */
export function ask(
  method: string,
  path: string,
  { token, headers = {}, json, body, cf }: Ask = {},
): Promise<Response> {
  return worker.fetch(`${origin}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    ...(body === undefined ? {} : { body }),
    ...(cf === undefined ? {} : { cf }),
  });
}

export interface Refusal {
  status: number;
  code: string;
  message: string;
  details?: { faults?: { path: string; message: string }[] };
}

/** Status and error of an answer, which holds nothing else. */
export async function refusal(response: Response): Promise<Refusal> {
  const { error, ...rest } = await response.json<{ error: Omit<Refusal, 'status'> }>();
  if (Object.keys(rest).length > 0) throw new Error(`an error beside ${JSON.stringify(rest)}`);
  return { status: response.status, ...error };
}

/** The paths of the faults that a refusal names. */
export async function faultPaths(response: Response): Promise<string[]> {
  return ((await refusal(response)).details?.faults ?? []).map(({ path }) => path);
}
