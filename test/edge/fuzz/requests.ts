import fc from 'fast-check';
import type { Json, Scope } from '#protocol';
import { allRoutes } from '../../../edge/api/app.ts';
import type { Route } from '../../../edge/api/route.ts';
import { fitting } from './from-schema.ts';
import { damaged, damagedText, hostileText, hostileValue, wellFormed } from './hostile.ts';
import { namesOf, type Names } from './names.ts';
import { queue, secret, type Property } from './neighbour.ts';
import { soundBodies, works } from './sound-bodies.ts';

/** A request as it will be sent, but for its token. */
export interface HostileRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Of its token; null for a request without one. */
  readonly scope: readonly Scope[] | null;
}

/** All routes that there are: a new one is fuzzed without more ado. */
export const routes: readonly Route[] = allRoutes(() => {
  throw new Error('whoever fuzzes needs no reference');
});

/** Seconds that a request may take are few here. */
const seconds = fc.constantFrom<Json>(0, 0, 0.01, 61, 'NaN');

/** What members hold whose schemas say little. */
function examplesOf(names: Names): Record<string, fc.Arbitrary<Json>> {
  return {
    task_id: fc.constantFrom<Json>(...names.any.filter((name) => name.startsWith('0-'))),
    campaign_id: fc.constantFrom<Json>(...names.campaignIds),
    queue: fc.constantFrom<Json>(queue, 'default'),
    task: fc.constantFrom<Json>('evaluate_candidates', 'ping', 'run_campaign'),
    wait: seconds,
    timeout: fc.constantFrom<Json>(0.1, 0, 61, 'NaN'),
    signature: works(names),
    owner: fc.constantFrom<Json>('neighbour', 'stranger', secret, ''),
    cursor: fc.oneof(cursor, fc.constantFrom<Json>(...names.any)),
    worker: fc.constantFrom<Json>('*', 'w*', '*a*a*a*a*a*a*a*a*a*b', 'w1,,nobody'),
    types: fc.constantFrom<Json>('task-sent', 'task-sent,worker-online', 'nonsense'),
    challenge: fc.constantFrom<Json>('x.y', 'e30.e30'),
  };
}

/** Cursors of our own form that hold anything. */
const cursor: fc.Arbitrary<Json> = hostileValue.map((value) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify([value, value]))).slice(0, 600))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=/g, ''),
);

function pathOf(route: Route, names: Names): fc.Arbitrary<string> {
  const parts = route.path.split('/').map((part) => {
    const [, name] = /^:(\w+)/.exec(part) ?? [];
    if (name === undefined) return fc.constant(part);
    const sound = fc.constantFrom(...names.byParameter(route, name)).map((text) => encodeURI(text.replace(/^\//, '')));
    const odd = fc.constantFrom('%', '%ff', '%00', '%2e%2e', '%2F', '..;', '%ED%A0%80', 'x'.repeat(600), 'a/b/c', '*');
    return fc.oneof(
      { weight: 16, arbitrary: sound },
      odd,
      hostileText.map((text) => encodeURIComponent(wellFormed(text)).slice(0, 2000)),
    );
  });
  return fc.tuple(...parts).map((chosen) => chosen.join('/'));
}

function queryOf(route: Route, names: Names): fc.Arbitrary<string> {
  const free = fc.constantFrom<Json>(...names.any);
  const sound = route.query === undefined ? fc.constant({}) : fitting(route.query, free, examplesOf(names));
  const value = fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, hostileText);
  return fc
    .tuple(sound, value, fc.nat(5), fc.constantFrom('extra', 'owner', 'limit', '__proto__'))
    .map(([query, odd, place, key]) => {
      const entries = Object.entries(query as Record<string, Json>).map(
        ([name, each]) => [name, typeof each === 'string' ? each : JSON.stringify(each)] as const,
      );
      const changed =
        odd === null ? entries : [...entries.toSpliced(place, 1), [entries[place]?.[0] ?? key, odd] as const];
      const text = changed.map(([name, each]) => `${name}=${encodeURIComponent(wellFormed(each))}`).join('&');
      return text === '' ? '' : `?${text}`;
    });
}

const latin = (text: string): string => text.replace(/[^\x20-\x7e]/g, '').trim();

const headers: fc.Arbitrary<Record<string, string>> = fc
  .record(
    {
      'idempotency-key': fc.oneof(
        fc.constantFrom('k', 'k', 'x'.repeat(255), 'x'.repeat(256), '__proto__'),
        hostileText.map(latin),
      ),
      'if-match': fc.constantFrom('*', '"x"', 'W/"x", *', ',,,'),
      'if-none-match': fc.constantFrom('*', '"x"'),
      'if-range': fc.constantFrom('"x"', 'yesterday'),
      range: fc.constantFrom('bytes=0-0', 'bytes=-1', 'bytes=999999999999999-', 'bytes=1-0', 'bytes=--1', 'items=0-1'),
      'content-type': fc.constantFrom(
        'text/html',
        'application/json',
        'x'.repeat(300),
        'a/b; c="',
        'multipart/form-data',
      ),
      'content-encoding': fc.constantFrom('gzip', 'nonsense'),
      origin: fc.constantFrom('https://evil.example', 'null', 'https://grid.test'),
      'cf-connecting-ip': fc.constantFrom('1.2.3.4', '::1', 'nonsense', ''),
      'x-tabgrid-principal': fc.constantFrom('{"sub":"neighbour","scope":["admin"]}'),
      'sec-websocket-protocol': fc.constantFrom('tabgrid.v1', 'tabgrid.v1, bearer.x.y', 'other', ',,'),
      upgrade: fc.constantFrom('websocket', 'h2c'),
    },
    { requiredKeys: [] },
  )
  .map((all) => Object.fromEntries(Object.entries(all).filter((_, index) => index < 2)));

function bodyOf(route: Route, names: Names): fc.Arbitrary<string | null> {
  if (route.method === 'get' || route.method === 'delete') return fc.constant(null);
  if (route.body === undefined) return fc.string({ unit: 'binary', maxLength: 50 });
  const free = fc.oneof(fc.constantFrom<Json>(...names.any), works(names), hostileValue);
  const fits = fitting(route.body, free, examplesOf(names));
  const sound = soundBodies(route.path, names);
  return damagedText(damaged(sound === null ? fits : fc.oneof({ weight: 3, arbitrary: sound }, fits)));
}

/** Requests to a route, most of them with something wrong. */
function requestsTo(route: Route, names: Names, scopes: readonly Scope[]): fc.Arbitrary<HostileRequest> {
  const method = route.method.toUpperCase();
  return fc
    .record({
      method: fc.oneof(
        { weight: 12, arbitrary: fc.constant(method) },
        fc.constantFrom('HEAD', 'OPTIONS', 'PUT', 'POST', 'DELETE'),
      ),
      path: fc.tuple(pathOf(route, names), queryOf(route, names)).map((parts) => parts.join('')),
      headers,
      body: bodyOf(route, names),
      scope: scopeFor(route, scopes),
    })
    .map((request) => ({ ...request, body: ['GET', 'HEAD'].includes(request.method) ? null : request.body }));
}

/** Mostly what opens the route. */
function scopeFor({ access }: Route, scopes: readonly Scope[]): fc.Arbitrary<readonly Scope[] | null> {
  const opening = access === 'public' ? [] : access.filter((scope) => scopes.includes(scope));
  const others = fc.oneof(fc.constant(null), fc.subarray([...scopes], { minLength: 1 }));
  if (opening.length === 0 && !scopes.includes('admin')) return others;
  const fits = fc.constantFrom<readonly Scope[]>(...opening.map((scope) => [scope]), scopes);
  return fc.oneof({ weight: 9, arbitrary: fits }, others);
}

/** What takes more has more that can be wrong. */
function weightOf({ path, body }: Route, names: Names): number {
  if (soundBodies(path, names) !== null) return 8;
  return body === undefined ? 2 : 4;
}

/**
 * Requests to all routes.
 * @param scopes what tokens may hold
 */
export function hostileRequests(owners: readonly Property[], scopes: readonly Scope[]): fc.Arbitrary<HostileRequest> {
  const names = namesOf(owners);
  return fc.oneof(
    ...routes.map((route) => ({ weight: weightOf(route, names), arbitrary: requestsTo(route, names, scopes) })),
  );
}
