import { describe, expect, it } from 'vitest';
import { Grid, ResultTimeout, signature, TabgridError, type SubmitOptions } from '../../../client/sdk/index.ts';
import { json, refusal, setup } from './fakes.ts';

const submitted = { task_id: '0-01hv0000000000000000000000', state: 'PENDING', queue: 'default' };
const taskView = (state: string, more: object = {}): Response =>
  json({ task_id: submitted.task_id, state, result: null, error: null, ...more });

describe('submit', () => {
  it('sends the signature with the token and a key that makes it repeatable', async () => {
    const { grid, edge } = setup();
    edge.answers(json(submitted, 202));
    const result = await grid.submit('ping', {}, { priority: 9, countdownSeconds: 5, labels: ['a'] });
    expect(result.id).toBe(submitted.task_id);
    const [request] = edge.seen;
    expect(request!.url.href).toBe('http://edge.test/v1/tasks');
    expect(request!.headers.get('authorization')).toBe('Bearer token-1');
    expect(request!.headers.get('idempotency-key')).toMatch(/^sdk-/);
    expect(JSON.parse(request!.body)).toEqual({
      task: 'ping',
      kwargs: {},
      priority: 9,
      countdown: 5,
      labels: ['a'],
    });
  });

  it('takes a token as a file holds it', async () => {
    const { grid, edge } = setup({ token: 'token-1\n' });
    edge.answers(json(submitted, 202));
    await grid.submit('ping', {});
    expect(edge.seen[0]?.headers.get('authorization')).toBe('Bearer token-1');
  });

  it('repeats a submission under the same key when the edge cannot be reached', async () => {
    const { grid, edge, clock } = setup();
    edge.answers(new TypeError('fetch failed'), new TypeError('fetch failed'), json(submitted, 202));
    await grid.submit('ping', {});
    expect(edge.seen).toHaveLength(3);
    expect(new Set(edge.seen.map((request) => request.headers.get('idempotency-key'))).size).toBe(1);
    expect(clock.slept).toEqual([125, 250]);
  });

  it('asks again, under the same key, when the connection breaks in the middle of the answer', async () => {
    const { grid, edge } = setup();
    const broken = (): Response => {
      const body = new ReadableStream({ pull: (controller) => controller.error(new TypeError('terminated')) });
      return new Response(body, { status: 202 });
    };
    edge.answers(broken, json(submitted, 202));
    expect((await grid.submit('ping', {})).id).toBe(submitted.task_id);
    expect(edge.seen).toHaveLength(2);
    expect(new Set(edge.seen.map((request) => request.headers.get('idempotency-key'))).size).toBe(1);
  });

  it('waits as long as the edge asks for', async () => {
    const { grid, edge, clock } = setup();
    edge.answers(refusal('rate_limited', 429, { 'retry-after': '7' }), json(submitted, 202));
    await grid.submit('ping', {});
    expect(clock.slept).toEqual([7000]);
  });

  it('gives up after the retries that it was given', async () => {
    const { grid, edge } = setup({ retries: 2 });
    edge.answers(refusal('unavailable', 503));
    await expect(grid.submit('ping', {})).rejects.toMatchObject({ code: 'unavailable' });
    expect(edge.seen).toHaveLength(3);
  });

  it('does not repeat what the edge refuses for good', async () => {
    const { grid, edge } = setup();
    edge.answers(json({ error: { code: 'unknown_task', message: 'no such task', details: { task: 'x' } } }, 422));
    const error = await grid.submitSignature({ task: 'x' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TabgridError);
    expect(error).toMatchObject({ code: 'unknown_task', message: 'no such task', details: { task: 'x' } });
    expect(edge.seen).toHaveLength(1);
  });

  it('does not wait for a deployment that lacks its secret', async () => {
    const { grid, edge } = setup();
    edge.answers(refusal('not_configured', 503));
    await expect(grid.submit('ping', {})).rejects.toMatchObject({ code: 'not_configured' });
    expect(edge.seen).toHaveLength(1);
  });

  it('makes an error of an answer that is not one of ours', async () => {
    const { grid, edge } = setup({ retries: 0 });
    edge.answers(new Response('<html>bad gateway</html>', { status: 502 }));
    await expect(grid.submit('ping', {})).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('submits many at once', async () => {
    const { grid, edge } = setup();
    edge.answers(json({ tasks: [submitted, submitted] }, 202));
    const results = await grid.submitAll([signature('ping', {}), signature('ping', {}, { queue: 'data' })]);
    expect(results).toHaveLength(2);
    expect(JSON.parse(edge.seen[0]!.body)).toEqual([
      { task: 'ping', kwargs: {} },
      { task: 'ping', kwargs: {}, queue: 'data' },
    ]);
  });
});

describe('signature', () => {
  it('writes times as the API takes them', () => {
    const eta = new Date(Date.UTC(2030, 0, 2));
    expect(signature('ping', {}, { eta, expires: 60, retryBackoff: false })).toEqual({
      task: 'ping',
      kwargs: {},
      eta: '2030-01-02T00:00:00.000Z',
      expires: 60,
      retry_backoff: false,
    });
  });

  it.each([
    [{ eta: 'tomorrow' }, 'eta: expected a Date, got tomorrow'],
    [{ expires: new Date('soon') }, 'expires: expected a Date or seconds, got Invalid Date'],
  ])('refuses %j, which is no time', (options, message) => {
    expect(() => signature('ping', {}, options as unknown as SubmitOptions)).toThrow(message);
  });
});

describe('AsyncResult', () => {
  const setupResult = () => {
    const { grid, edge, clock } = setup();
    return { result: grid.result<{ status: string }>(submitted.task_id), edge, clock };
  };

  it('waits in long requests until the task is final', async () => {
    const { result, edge } = setupResult();
    edge.answers(taskView('PENDING'), taskView('STARTED'), taskView('SUCCESS', { result: { status: 'pong' } }));
    expect(await result.get()).toEqual({ status: 'pong' });
    expect(edge.seen.map((request) => request.url.searchParams.get('wait'))).toEqual(['25', '25', '25']);
  });

  it('throws the failure with its code', async () => {
    const { result, edge } = setupResult();
    edge.answers(
      taskView('FAILURE', { error: { type: 'invalid_input', message: 'column y is missing', traceback: 'at body' } }),
    );
    await expect(result.get()).rejects.toMatchObject({
      code: 'invalid_input',
      message: 'column y is missing',
      details: { traceback: 'at body' },
    });
  });

  it('says that a revoked task was revoked', async () => {
    const { result, edge } = setupResult();
    edge.answers(taskView('REVOKED'));
    await expect(result.get()).rejects.toMatchObject({ code: 'revoked' });
  });

  it('stops waiting when its time is over, and leaves the task alone', async () => {
    const { result, edge, clock } = setupResult();
    edge.answers(() => {
      clock.advance(6_000);
      return taskView('STARTED');
    });
    const error = await result.get({ timeoutSeconds: 10 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ResultTimeout);
    expect((error as ResultTimeout).task.state).toBe('STARTED');
    expect(edge.seen.map((request) => request.url.searchParams.get('wait'))).toEqual(['10', '4']);
  });

  it('revokes', async () => {
    const { result, edge } = setupResult();
    edge.answers(taskView('REVOKED'));
    await result.revoke({ terminate: true });
    expect(edge.seen[0]).toMatchObject({ method: 'POST', body: '{"terminate":true}' });
    expect(edge.seen[0]!.url.pathname).toBe(`/v1/tasks/${submitted.task_id}/revoke`);
  });
});

describe('lists', () => {
  it('walks all pages', async () => {
    const { grid, edge } = setup();
    edge.answers(
      json({ tasks: [{ task_id: 'a' }], next_cursor: 'next' }),
      json({ tasks: [{ task_id: 'b' }], next_cursor: null }),
    );
    const ids: string[] = [];
    for await (const task of grid.tasks({ state: 'FAILURE' })) ids.push(task.task_id);
    expect(ids).toEqual(['a', 'b']);
    expect(edge.seen.map((request) => request.url.search)).toEqual(['?state=FAILURE', '?state=FAILURE&cursor=next']);
  });
});

describe('files', () => {
  it('puts a file under an escaped path with the type of its ending', async () => {
    const { grid, edge } = setup();
    edge.answers(json({ path: '/datasets/a b#.csv', sha256: '00' }));
    await grid.files.put('/datasets/a b#.csv', 'x,y\n1,2\n');
    expect(edge.seen[0]).toMatchObject({ method: 'PUT', body: 'x,y\n1,2\n' });
    expect(edge.seen[0]!.url.pathname).toBe('/v1/files/datasets/a%20b%23.csv');
    expect(edge.seen[0]!.headers.get('content-type')).toBe('text/csv');
  });

  it('asks for a range whose end is not counted', async () => {
    const { grid, edge } = setup();
    edge.answers(new Response('bc', { status: 206 }));
    const response = await grid.files.get('/a.txt', { range: { from: 1, to: 3 } });
    expect(await response.text()).toBe('bc');
    expect(edge.seen[0]!.headers.get('range')).toBe('bytes=1-2');
  });

  it('does not send a stream a second time', async () => {
    const { grid, edge } = setup();
    edge.answers(refusal('unavailable', 503));
    await expect(grid.files.put('/a', new Blob(['x']).stream())).rejects.toMatchObject({ code: 'unavailable' });
    expect(edge.seen).toHaveLength(1);
  });
});

describe('options', () => {
  it.each([
    [{ url: 'localhost:8787', token: 't' }, /url: expected an address/],
    [{ url: 'http://localhost', token: '' }, /token: expected a token/],
    [{ url: 'http://localhost', token: undefined as unknown as string }, /token: expected a token, got undefined/],
    [{ url: 'http://localhost', token: 't', retries: -1 }, /retries: expected/],
    [{ url: 'http://localhost', token: 't', heartbeatSeconds: 0 }, /heartbeatSeconds: expected/],
  ])('refuses %j and names the option', (options, message) => {
    expect(() => new Grid(options)).toThrow(message);
  });
});
