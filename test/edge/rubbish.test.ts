import { describe, expect, it } from 'vitest';
import { keyRing, limits, signToken } from '#protocol';
import { ask, faultPaths, refusal, tokenFor } from './helpers/api.ts';

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
    ['a queue with a space', { task: 'ping', queue: 'my queue' }, 'invalid_request', ['queue']],
    ['too many labels', { task: 'ping', labels: Array.from({ length: 17 }, String) }, 'invalid_request', ['labels']],
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

  it('is one of at most 1,000', async () => {
    const tasks = Array.from({ length: limits.maxTasksPerRequest + 1 }, () => ({ task: 'ping' }));
    expect(await refusal(await submit(tasks))).toMatchObject({ status: 422, code: 'invalid_request' });
  });

  it('whose arguments are too large for a row is 413', async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => [i / 7, i / 3]);
    const answer = await submit({ task: 'train_surrogate', kwargs: { rows, inputs: ['a'], targets: ['b'] } });
    expect(await refusal(answer)).toMatchObject({ status: 413, code: 'body_too_large' });
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
