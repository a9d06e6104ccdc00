import { describe, expect, it } from 'vitest';
import { scopes, type Scope } from '#protocol';
import { allRoutes } from '../../edge/api/app.ts';
import document from '../../docs/api.md?raw';
import { ask, refusal, tokenFor, type Ask } from './helpers/api.ts';

interface Row {
  method: string;
  path: string;
  /** Null for a public route. */
  scopes: Scope[] | null;
}

/** The matrix of docs/api.md. */
const matrix: Row[] = [...document.matchAll(/^\| `([A-Z]+) (\S+)` +\| (public|(?:`\w+` ?)+) *\|/gm)].map(
  ([, method, path, access]) => ({
    method: method!,
    path: path!,
    scopes: access === 'public' ? null : [...access!.matchAll(/`(\w+)`/g)].map(([, scope]) => scope as Scope),
  }),
);

const routes = allRoutes(() => {
  throw new Error('the matrix needs no reference');
});

/** An address of the route behind which there is nothing. */
function addressOf(path: string): string {
  return path
    .replace('/leases/:id', '/leases/0-01aaaaaaaaaaaaaaaaaaaaaaaa')
    .replace('/tasks/:id', '/tasks/0-01aaaaaaaaaaaaaaaaaaaaaaaa')
    .replace('/workflows/:id', '/workflows/w-01aaaaaaaaaaaaaaaaaaaaaaaa')
    .replace('/campaigns/:id', '/campaigns/c-01aaaaaaaaaaaaaaaaaaaaaaaa')
    .replace('/schedules/:name', '/schedules/nothing')
    .replace('/uploads/:id', `/uploads/${'a'.repeat(32)}`)
    .replace('/inspect/:view', '/inspect/registered')
    .replace('/control/:command', '/control/grow')
    .replace('/workers/:id/:command', '/workers/nobody/ping')
    .replace(':path', 'nothing/there')
    .replace(':jti', 'no-such-token')
    .replace(':n', '1');
}

function send({ method, path }: Row, options: Ask): Promise<Response> {
  const takesJson = method === 'POST' || method === 'PATCH' || (method === 'PUT' && path.startsWith('/v1/schedules/'));
  return ask(method, addressOf(path), takesJson ? { ...options, json: { unknown: 1 } } : options);
}

describe('the matrix of route and scope', () => {
  it('in docs/api.md is the one that the edge goes by', () => {
    const actual = routes.map(({ method, path, access }) => ({
      method: method.toUpperCase(),
      path: path.replace('{.+}', ''),
      scopes: access === 'public' ? null : [...access],
    }));
    expect(actual.length).toBeGreaterThan(30);
    expect(matrix).toEqual(actual);
  });

  it.each(matrix.filter((row) => row.scopes !== null))('$method $path without a token is 401', async (row) => {
    expect(await refusal(await send(row, {}))).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it.each(matrix.filter((row) => row.scopes === null))('$method $path is public', async (row) => {
    expect([200, 422]).toContain((await send(row, {})).status);
  });

  for (const scope of scopes) {
    it(`opens to "${scope}" what it says, and nothing else`, async () => {
      const token = tokenFor([scope], { sub: 'matrix' });
      for (const row of matrix.filter((candidate) => candidate.scopes !== null)) {
        const { status } = await send(row, { token });
        const opens = scope === 'admin' || (row.scopes ?? []).includes(scope);
        const name = `${row.method} ${row.path} with ${scope}`;
        if (opens) expect([200, 201, 204, 404, 422, 426], name).toContain(status);
        else expect(status, name).toBe(403);
      }
    });
  }

  it('takes any one of several scopes', async () => {
    const token = tokenFor(['volunteer', 'read']);
    expect((await ask('GET', '/v1/queues', { token })).status).toBe(200);
    expect(await refusal(await ask('POST', '/v1/tasks', { token, json: { task: 'ping' } }))).toMatchObject({
      status: 403,
      code: 'forbidden',
      details: { needed: ['submit'] },
    });
  });
});
