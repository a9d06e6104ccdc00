import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { Env } from '../../edge/env.ts';
import worker from '../../edge/index.ts';
import { ask, origin, refusal, testEnv, tokenFor } from './helpers/api.ts';

const token = tokenFor(['submit', 'read', 'work'], { sub: 'sam' });
const lab = 'https://lab.example';

/** Asks a deployment with other variables. */
async function askDeployment(variables: Partial<Env>, path: string, init: RequestInit = {}): Promise<Response> {
  const context = createExecutionContext();
  const request = new Request(`${origin}${path}`, init) as Parameters<typeof worker.fetch>[0];
  const answer = await worker.fetch(request, { ...testEnv, ...variables }, context);
  await waitOnExecutionContext(context);
  return answer;
}

function socket(path: string, headers: Record<string, string>): Promise<Response> {
  return ask('GET', path, { headers: { upgrade: 'websocket', ...headers } });
}

function closeSocket(answer: Response): void {
  answer.webSocket?.accept();
  answer.webSocket?.close(1000);
}

describe('a deployment without its secret', () => {
  it.each(['/v1/tasks', '/v1/volunteers', '/metrics', '/healthz', '/openapi.json', '/docs'])(
    'answers %s with 503 and says when to come back',
    async (path) => {
      for (const secret of [undefined, '', 'too short']) {
        const answer = await askDeployment({ TABGRID_SECRET: secret } as Partial<Env>, path, {
          headers: { authorization: `Bearer ${token}` },
        });
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(await refusal(answer)).toMatchObject({ status: 503, code: 'not_configured' });
      }
    },
  );

  it('still has its pages', async () => {
    const page = await askDeployment({ TABGRID_SECRET: '' }, '/');
    expect(page.status).toBe(200);
  });
});

describe('a deployment whose secret is being rotated', () => {
  it('accepts tokens of both', async () => {
    const headers = { authorization: `Bearer ${token}` };
    const rotated = { TABGRID_SECRET: `${'new-secret'.repeat(4)}, ${testEnv.TABGRID_SECRET ?? ''}` };
    expect((await askDeployment(rotated, '/v1/queues', { headers })).status).toBe(200);
    expect((await askDeployment({ TABGRID_SECRET: 'new-secret'.repeat(4) }, '/v1/queues', { headers })).status).toBe(
      401,
    );
  });
});

describe('another site’s page', () => {
  const asked = {
    origin: lab,
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'authorization',
  };

  it('is given no leave', async () => {
    const preflight = await ask('OPTIONS', '/v1/tasks', { headers: asked });
    const answer = await ask('GET', '/v1/tasks', { token, headers: { origin: lab } });
    for (const { headers } of [preflight, answer]) {
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
      expect(headers.get('vary')).toContain('Origin');
    }
  });

  it('is given leave when TABGRID_ORIGINS names it, and no other is', async () => {
    const deployment = { TABGRID_ORIGINS: `https://other.example, ${lab}/` };
    const preflight = await askDeployment(deployment, '/v1/tasks', { method: 'OPTIONS', headers: asked });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(lab);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization');
    const headers = { authorization: `Bearer ${token}`, origin: lab };
    const answer = await askDeployment(deployment, '/v1/tasks', { headers });
    expect(answer.headers.get('access-control-allow-origin')).toBe(lab);
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    const refused = await askDeployment(deployment, '/v1/tasks', {
      headers: { ...headers, origin: 'https://evil.example' },
    });
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each(['/v1/events', '/v1/worker'])('opens no socket at %s', async (path) => {
    for (const from of ['https://evil.example', 'null', 'https://grid.test.evil.example', 'http://grid.test:8080']) {
      const answer = await socket(path, { authorization: `Bearer ${token}`, origin: from });
      expect(await refusal(answer)).toMatchObject({ status: 403, code: 'forbidden' });
    }
  });
});

describe.each(['/v1/events', '/v1/worker'])('a socket at %s', (path) => {
  it('opens to a browser’s subprotocol, and is answered with the protocol’s name alone', async () => {
    const answer = await socket(path, { 'sec-websocket-protocol': `tabgrid.v1, bearer.${token}`, origin });
    expect(answer.status).toBe(101);
    expect(answer.headers.get('sec-websocket-protocol')).toBe('tabgrid.v1');
    closeSocket(answer);
  });

  it('opens to a header, where there is no browser, and is answered with no subprotocol', async () => {
    const answer = await socket(path, { authorization: `Bearer ${token}` });
    expect([answer.status, answer.headers.get('sec-websocket-protocol')]).toEqual([101, null]);
    closeSocket(answer);
  });

  it.each([
    ['', 401, 'unauthorized'],
    ['tabgrid.v1', 401, 'unauthorized'],
    ['bearer.TOKEN', 401, 'unauthorized'],
    ['tabgrid.v1, bearer.forged', 401, 'unauthorized'],
    ['tabgrid.v2, bearer.TOKEN', 401, 'unauthorized'],
  ])('is refused with the subprotocols %j', async (offered, status, code) => {
    const protocols = offered.replace('TOKEN', token);
    const answer = await socket(path, protocols === '' ? {} : { 'sec-websocket-protocol': protocols });
    expect(await refusal(answer)).toMatchObject({ status, code });
  });

  it('is refused to a client of another version', async () => {
    const headers = { authorization: `Bearer ${token}`, 'sec-websocket-protocol': 'tabgrid.v2' };
    expect(await refusal(await socket(path, headers))).toMatchObject({ status: 426, code: 'upgrade_required' });
  });

  it('never believes a principal from outside, and hands no token on', async () => {
    const told: Record<string, string> = {};
    const shard = {
      fetch: (request: Request) => {
        for (const [name, value] of request.headers) told[name] = value;
        return Promise.resolve(new Response('seen', { status: 400 }));
      },
    };
    const broker = { idFromName: (name: string) => name, get: () => shard } as unknown as Env['BROKER'];
    const headers = {
      upgrade: 'websocket',
      'sec-websocket-protocol': `tabgrid.v1, bearer.${token}`,
      'x-tabgrid-principal': JSON.stringify({ sub: 'root', scope: ['admin'] }),
    };
    await askDeployment({ BROKER: broker }, path, { headers });
    expect(JSON.parse(told['x-tabgrid-principal'] ?? '')).toEqual({ sub: 'sam', scope: ['submit', 'read', 'work'] });
    expect(JSON.stringify(told)).not.toContain(token);
  });

  it('is at a shard that there is', async () => {
    const answer = await socket(`${path}?shard=7`, { authorization: `Bearer ${token}` });
    expect(await refusal(answer)).toMatchObject({ status: 422, details: { faults: [{ path: 'shard' }] } });
  });
});

describe('every answer', () => {
  it.each([
    ['/healthz', {}],
    ['/v1/queues', { token }],
    ['/v1/tasks', {}],
    ['/v1/nothing', {}],
    ['/docs', {}],
    ['/openapi.json', {}],
    ['/metrics', { token }],
  ])('of %s forbids a browser what it does not need', async (path, options) => {
    const { headers } = await ask('GET', path, options);
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
    });
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(policy).not.toContain('script-src');
  });

  it('about a file keeps a browser from running it', async () => {
    const page = { body: '<script>alert(1)</script>', headers: { 'content-type': 'text/html' } };
    await ask('PUT', '/v1/files/page.html', { token, ...page });
    const { headers } = await ask('GET', '/v1/files/page.html', { token });
    expect(headers.get('content-type')).toBe('text/html');
    expect(headers.get('content-security-policy')).toContain('sandbox');
  });
});
