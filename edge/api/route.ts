import type { z } from 'zod';
import {
  faultsOf,
  invalidRequest,
  limits,
  TabgridError,
  toBase64Url,
  type ErrorCode,
  type Principal,
  type Scope,
} from '#protocol';
import type { RequestKey } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import type { Clock } from '../lib/clock.ts';
import { parseJson, readBody } from './body.ts';
import type { ComponentName } from './schemas.ts';

/** One route: what the router, the reference, the checks of scope and input, and the tests know of it. */
export interface RouteDeclaration<Params, Query, Body> {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  /** As Hono writes it; `:path{.+}` takes slashes too. */
  readonly path: string;
  /** Any one of these scopes opens it, `admin` always; `public` needs no token. */
  readonly access: readonly Scope[] | 'public';
  readonly tag: string;
  /** One sentence for the reference page. */
  readonly summary: string;
  /** What more there is to know, in Markdown without headings. */
  readonly description?: string;
  /** A path whose parameters don’t fit leads nowhere: 404. */
  readonly params?: z.ZodType<Params>;
  /** Empty values count as absent. */
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  /** An absent body counts as `{}`. */
  readonly bodyOptional?: boolean;
  /** A body that is no JSON; the handler reads it itself. */
  readonly rawBody?: string;
  /** What a success answers, by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** What can go wrong beside what can go wrong everywhere. */
  readonly errors?: readonly ErrorCode[];
}

export interface Answer {
  readonly description: string;
  /** The JSON that it holds. */
  readonly component?: ComponentName;
  /** Its media type where it is no JSON. */
  readonly media?: string;
}

/** A request that passed every check. */
export interface Call<Params, Query, Body> {
  readonly env: Env;
  readonly clock: Clock;
  readonly request: Request;
  /** Nobody’s, without scopes, where the route is public. */
  readonly principal: Principal;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Of the header `Idempotency-Key`; the key as it was sent. */
  readonly requestKey: RequestKey | null;
}

/** A declaration with its handler, its types sealed. */
export interface Route extends RouteDeclaration<unknown, unknown, unknown> {
  readonly run: (context: RouteContext) => Promise<Response>;
}

export interface RouteContext {
  readonly env: Env;
  readonly clock: Clock;
  readonly request: Request;
  readonly principal: Principal;
  readonly params: Readonly<Record<string, string>>;
}

export function route<Params = undefined, Query = undefined, Body = undefined>(
  declaration: RouteDeclaration<Params, Query, Body>,
  handle: (call: Call<Params, Query, Body>) => Promise<Response> | Response,
): Route {
  return {
    ...declaration,
    async run(context) {
      const params = parsePathParams(declaration.params, context.params);
      const query = parse(declaration.query, queryOf(context.request.url));
      const bytes = declaration.body === undefined ? null : await readBody(context.request, limits.maxJsonBodyBytes);
      const body = parse(declaration.body, bytes === null ? undefined : jsonOf(bytes, declaration.bodyOptional));
      const requestKey = await requestKeyOf(context.request, bytes);
      return handle({ ...context, params, query, body, requestKey });
    },
  };
}

function jsonOf(bytes: Uint8Array, optional = false): unknown {
  return optional && bytes.length === 0 ? {} : parseJson(bytes);
}

/** @throws TabgridError `invalid_request`, with the path of each fault. */
function parse<T>(schema: z.ZodType<T> | undefined, value: unknown): T {
  // Where a declaration has no schema, T is undefined.
  if (schema === undefined) return undefined as T;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidRequest(...faultsOf(parsed.error));
}

function parsePathParams<T>(schema: z.ZodType<T> | undefined, value: unknown): T {
  if (schema === undefined) return undefined as T;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [fault] = faultsOf(parsed.error);
  throw new TabgridError('not_found', `there is nothing by this name: ${fault?.path ?? ''}: ${fault?.message ?? ''}`);
}

function queryOf(url: string): Record<string, string> {
  return Object.fromEntries([...new URL(url).searchParams].filter(([, value]) => value !== ''));
}

const maxKeyChars = 255;

/** The digest covers the route too: a key that was used elsewhere was used with something else. */
async function requestKeyOf(request: Request, body: Uint8Array | null): Promise<RequestKey | null> {
  const key = request.headers.get('idempotency-key');
  if (key === null) return null;
  if (key.length === 0 || key.length > maxKeyChars) {
    throw invalidRequest({ path: 'Idempotency-Key', message: `expected 1 to ${maxKeyChars} characters` });
  }
  const route = new TextEncoder().encode(`${request.method} ${new URL(request.url).pathname}\n`);
  const covered = await new Blob([route, body ?? new Uint8Array()]).arrayBuffer();
  return { key, bodyDigest: toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', covered))) };
}

/** Without members that are undefined. */
export function definedMembers<T extends object>(value: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]: Exclude<T[Key], undefined> };
}
