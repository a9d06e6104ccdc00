import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { keyRing, limits, maxFaults, signToken } from '#protocol';
import { ask, faultPaths, refusal, testEnv, tokenFor } from './helpers/api.ts';

const token = tokenFor(['submit', 'read'], { sub: 'rob' });

function submit(body: unknown): Promise<Response> {
  return ask('POST', '/v1/tasks', { token, json: body });
}

function submitText(body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  return ask('POST', '/v1/tasks', { token, body, headers });
}

/** Tasks that rob has: rubbish makes none. */
async function taskCount(): Promise<number> {
  const { tasks } = await (await ask('GET', '/v1/tasks', { token })).json<{ tasks: unknown[] }>();
  return tasks.length;
}

describe('a body', () => {
  it.each([
    '',
    'hello',
    '{"task": "ping"',
    '{"task": "ping", "priority": NaN}',
    '[Infinity]',
    "{'task': 'ping'}",
    '\u0000',
    '{"task":"ping"}x',
  ])('that is not JSON is 400: %j', async (body) => {
    expect(await refusal(await submitText(body))).toMatchObject({ status: 400, code: 'invalid_json' });
  });

  it('that is not UTF-8 is 400', async () => {
    const body = new Uint8Array([0x22, 0xff, 0xfe, 0x22]);
    expect(await refusal(await submitText(body))).toMatchObject({ status: 400, code: 'invalid_json' });
  });

  it('may begin with a byte order mark', async () => {
    expect((await submitText('\ufeff{"task":"ping"}')).status).toBe(202);
  });

  it('that is nested too deeply is 422, however it is nested', async () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const nested = open.repeat(100_000) + '1' + close.repeat(100_000);
      const body = `{"task":"ping","kwargs":{"x":${nested}}}`;
      expect(await refusal(await submitText(body))).toMatchObject({ status: 422, code: 'invalid_request' });
    }
    const quoted = JSON.stringify({ task: 'ping', labels: ['[[[[{{{{"\\'.repeat(5)] });
    expect((await submitText(quoted)).status).toBe(202);
  });

  it('that announces 100 MB is 413 before any of it is read', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled++;
          controller.enqueue(new Uint8Array(1 << 20));
        },
      },
      { highWaterMark: 0 },
    );
    const answer = await submitText(body, { 'content-length': String(100 << 20) });
    expect(await refusal(answer)).toMatchObject({
      status: 413,
      code: 'body_too_large',
      details: { max_bytes: limits.maxJsonBodyBytes },
    });
    expect(pulled).toBeLessThan(10);
  });

  it('of 100 MB that announces nothing is 413, and is not read to its end', async () => {
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent >= 100 << 20) {
          controller.close();
          return;
        }
        sent += 1 << 16;
        controller.enqueue(new Uint8Array(1 << 16).fill(0x20));
      },
    });
    expect(await refusal(await submitText(body))).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(sent).toBeLessThan(20 << 20);
  });
});

describe('a task', () => {
  it.each([
    ['an unknown task', { task: 'no_such_task' }, 'unknown_task', ['task']],
    ['no task', {}, 'invalid_request', ['task']],
    ['a task that is no text', { task: 7 }, 'invalid_request', ['task']],
    ['an unknown key', { task: 'ping', prority: 3, color: 'red' }, 'invalid_request', ['prority', 'color']],
    ['an unknown argument', { task: 'ping', kwargs: { loud: true } }, 'invalid_arguments', ['kwargs.loud']],
    ['too many arguments', { task: 'ping', args: [1] }, 'invalid_arguments', ['args.0']],
    [
      'a wrong argument',
      { task: 'compute_pareto_front', kwargs: { points: [[1, 'two']], directions: ['min', 'up'] } },
      'invalid_arguments',
      ['kwargs.points.0.1', 'kwargs.directions.1'],
    ],
    [
      'null in place of NaN',
      { task: 'compute_pareto_front', kwargs: { points: [[1, null]], directions: ['min', 'max'] } },
      'invalid_arguments',
      ['kwargs.points.0.1'],
    ],
    ['a priority out of range', { task: 'ping', priority: 10 }, 'invalid_request', ['priority']],
    ['a time without a zone', { task: 'ping', eta: '2030-01-01T00:00:00' }, 'invalid_request', ['eta']],
    [
      'both eta and countdown',
      { task: 'ping', eta: '2030-01-01T00:00:00Z', countdown: 1 },
      'invalid_request',
      ['countdown'],
    ],
    ['a negative limit', { task: 'ping', time_limit: -1 }, 'invalid_request', ['time_limit']],
    // No clock and no calendar holds these.
    ['an endless expiry', { task: 'ping', expires: 1e15 }, 'invalid_request', ['expires']],
    ['an endless limit', { task: 'ping', time_limit: 1e308 }, 'invalid_request', ['time_limit']],
    ['an endless back-off', { task: 'ping', retry_backoff: 1e308 }, 'invalid_request', ['retry_backoff']],
    ['a queue with a space', { task: 'ping', queue: 'my queue' }, 'invalid_request', ['queue']],
    [
      'a task that only an object runs',
      { task: 'run_campaign', kwargs: { campaign_id: 'c' } },
      'invalid_request',
      ['task'],
    ],
    ['text', 'ping', 'invalid_request', ['']],
    ['null', null, 'invalid_request', ['']],
    ['an empty list', [], 'invalid_request', ['']],
    [
      'a list with one bad',
      [{ task: 'ping' }, { task: 'ping', kwargs: { x: 1 } }],
      'invalid_arguments',
      ['1.kwargs.x'],
    ],
    ['a list with nonsense', [{ task: 'ping' }, 3], 'invalid_request', ['1']],
  ])('with %s is refused by name', async (_what, body, code, paths) => {
    const before = await taskCount();
    const answer = await submit(body);
    expect(await refusal(answer.clone())).toMatchObject({ status: 422, code });
    expect(await faultPaths(answer)).toEqual(paths);
    expect(await taskCount()).toBe(before);
  });

  it('with more faults than anybody reads is told of some', async () => {
    const points = Array.from({ length: 10_000 }, () => ['a', 'b', 'c']);
    const answer = await submit({
      task: 'compute_pareto_front',
      kwargs: { points, directions: ['min', 'min', 'min'] },
    });
    expect((await faultPaths(answer)).length).toBe(maxFaults);
  });

  it('may have keys that mean something to JavaScript', async () => {
    const answer = await submitText('{"task":"ping","__proto__":{"priority":9}}');
    expect(await faultPaths(answer)).toEqual(['__proto__']);
    const inside = await submitText('{"task":"ping","kwargs":{"constructor":1,"__proto__":2}}');
    expect((await faultPaths(inside)).sort()).toEqual(['kwargs.__proto__', 'kwargs.constructor']);
  });
});

describe('a query', () => {
  it.each([
    ['/v1/tasks?state=DONE', ['state.0']],
    ['/v1/tasks?limit=0', ['limit']],
    ['/v1/tasks?limit=many', ['limit']],
    ['/v1/tasks?since=yesterday', ['since']],
    ['/v1/tasks?stat=SUCCESS', ['stat']],
    ['/v1/tasks?cursor=rubbish', ['cursor']],
    ['/v1/tasks/0-01aaaaaaaaaaaaaaaaaaaaaaaa?wait=61', ['wait']],
    ['/v1/files?limit=1e9', ['limit']],
  ])('%s is 422', async (path, paths) => {
    expect(await faultPaths(await ask('GET', path, { token }))).toEqual(paths);
  });

  it('may hold no cursor but one that was given', async () => {
    for (const place of [['constructor', null], [-1, null], [0.5, null], [0, 1], ['0', null], {}, null]) {
      const cursor = btoa(JSON.stringify(place)).replace(/=/g, '');
      for (const path of ['/v1/tasks/revoke', '/v1/tasks/retry']) {
        const answer = await ask('POST', path, { token, json: { label: 'none', cursor } });
        expect(await faultPaths(answer), cursor).toEqual(['cursor']);
      }
    }
  });

  it('may name filters without values', async () => {
    const answer = await ask('GET', '/v1/tasks?state=&task=&queue=&worker=&label=&since=&limit=&cursor=', { token });
    expect(answer.status).toBe(200);
  });
});

describe('an address', () => {
  it.each([
    '/v1',
    '/v1/',
    '/v1/nothing',
    '/v1/tasks/',
    '/v1/tasks/x/y/z',
    '/nothing',
    '/v1/schedules/a/b',
    '/v1/canvases',
  ])('%s that leads nowhere is 404', async (path) => {
    expect(await refusal(await ask('GET', path, { token }))).toMatchObject({ status: 404, code: 'not_found' });
  });

  it.each([
    ['DELETE', '/v1/tasks', 'POST, GET, HEAD'],
    ['PATCH', '/v1/files/a', 'GET, HEAD, PUT, DELETE'],
    ['PUT', '/healthz', 'GET, HEAD'],
  ])('asked with %s %s is 405 and tells what it takes', async (method, path, allow) => {
    const answer = await ask(method, path, { token });
    expect(answer.headers.get('allow')).toBe(allow);
    expect(await refusal(answer)).toMatchObject({ status: 405, code: 'method_not_allowed' });
  });

  it('of another owner’s task is 404, as if there were none', async () => {
    const submitted = await (await submit({ task: 'ping' })).json<{ task_id: string }>();
    const eve = tokenFor(['submit', 'read'], { sub: 'eve' });
    const path = `/v1/tasks/${submitted.task_id}`;
    expect(await refusal(await ask('GET', path, { token: eve }))).toMatchObject({ status: 404, code: 'not_found' });
    for (const command of ['revoke', 'retry']) {
      expect((await ask('POST', `${path}/${command}`, { token: eve })).status).toBe(404);
    }
    expect((await ask('GET', path, { token: tokenFor(['admin']) })).status).toBe(200);
  });

  it('of a task in a shard that there never was is 404, and makes no shard', async () => {
    const work = tokenFor(['submit', 'read', 'work']);
    const id = '77-01aaaaaaaaaaaaaaaaaaaaaaaa';
    for (const path of [`/v1/tasks/${id}`, `/v1/tasks/${id}?wait=1`]) {
      expect(await refusal(await ask('GET', path, { token: work }))).toMatchObject({ status: 404, code: 'not_found' });
    }
    for (const path of [`/v1/tasks/${id}/revoke`, `/v1/tasks/${id}/retry`]) {
      expect((await ask('POST', path, { token: work, json: {} })).status).toBe(404);
    }
    const said = { attempt: 1, progress: {}, result: 1, error: { type: 'task_failed', message: 'x' } };
    for (const [verb, members] of [
      ['renew', []],
      ['progress', ['progress']],
      ['result', ['result']],
      ['failure', ['error']],
      ['release', []],
    ] as const) {
      const json = Object.fromEntries((['attempt', ...members] as const).map((name) => [name, said[name]]));
      expect((await ask('POST', `/v1/leases/${id}/${verb}`, { token: work, json })).status, verb).toBe(404);
    }
    const shard = testEnv.BROKER.get(testEnv.BROKER.idFromName('broker-77'));
    const tables = await runInDurableObject(shard, (_, { storage }) =>
      storage.sql.exec('SELECT name FROM sqlite_master').toArray(),
    );
    expect(tables).toEqual([]);
  });

  it('of an object’s like is no key to the object', async () => {
    for (const id of ['..', '%2e%2e', '0-', '99999-01aaaaaaaaaaaaaaaaaaaaaaaa', "0-01' OR 1=1 --", '__proto__']) {
      expect([404, 405]).toContain((await ask('GET', `/v1/tasks/${id}`, { token })).status);
    }
  });
});

describe('a token', () => {
  const claims = { sub: 'rob', scope: ['read' as const], exp: Math.floor(Date.now() / 1000) + 60, jti: 'rubbish' };
  const good = signToken(claims, keyRing('test-secret-test-secret-test-secret-0'));

  it.each([
    ['missing', '', 'unauthorized'],
    ['of another scheme', `Basic ${good}`, 'unauthorized'],
    ['empty', 'Bearer ', 'unauthorized'],
    ['garbage', 'Bearer garbage', 'unauthorized'],
    ['forged with another secret', `Bearer ${signToken(claims, keyRing('x'.repeat(40)))}`, 'unauthorized'],
    ['with a changed signature', `Bearer ${good.slice(0, -2)}AA`, 'unauthorized'],
    ['with a changed claim', `Bearer ${btoa('{"sub":"admin"}')}.${good.split('.')[1] ?? ''}`, 'unauthorized'],
    ['expired', `Bearer ${tokenFor(['read'], { ttlSeconds: -1 })}`, 'token_expired'],
  ])('that is %s is 401', async (_what, authorization, code) => {
    const answer = await ask('GET', '/v1/tasks', { headers: authorization === '' ? {} : { authorization } });
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(await refusal(answer)).toMatchObject({ status: 401, code });
  });

  it('does not count in an address', async () => {
    expect((await ask('GET', `/v1/queues?token=${good}`)).status).toBe(401);
    expect((await ask('GET', `/v1/queues?access_token=${good}`)).status).toBe(401);
  });
});

describe('an answer of a worker', () => {
  it('for a lost lease is 409', async () => {
    const work = tokenFor(['work'], { sub: 'worker' });
    const owner = { token: tokenFor(['submit', 'read'], { sub: 'lea' }) };
    const kwargs = { candidates: [[1]], evaluator: { kind: 'builtin', name: 'sphere' } };
    const { task_id: id } = await (
      await ask('POST', '/v1/tasks', { ...owner, json: { task: 'evaluate_candidates', kwargs, queue: 'rubbish' } })
    ).json<{ task_id: string }>();
    const lease = { token: work, json: { queues: ['rubbish'], count: 5, capabilities: {} } };
    const { leases } = await (
      await ask('POST', '/v1/leases', lease)
    ).json<{ leases: { lease_id: string; attempt: number }[] }>();
    expect(leases).toMatchObject([{ lease_id: id, attempt: 1 }]);
    const stale = { token: work, json: { attempt: 2, result: {} } };
    expect(await refusal(await ask('POST', `/v1/leases/${id}/result`, stale))).toMatchObject({
      status: 409,
      code: 'lease_lost',
    });
    await ask('POST', `/v1/tasks/${id}/revoke`, { ...owner, json: { terminate: true } });
    const late = { token: work, json: { attempt: 1, result: { values: [], failed: [] } } };
    expect(await refusal(await ask('POST', `/v1/leases/${id}/result`, late))).toMatchObject({
      status: 409,
      code: 'lease_lost',
    });
    for (const body of [{}, { attempt: 0, result: 1 }, { attempt: 1 }, { attempt: 1, result: 1, x: 1 }]) {
      expect((await ask('POST', `/v1/leases/${id}/result`, { token: work, json: body })).status).toBe(422);
    }
  });
});
