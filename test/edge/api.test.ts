import { describe, expect, it } from 'vitest';
import type { CampaignView, TaskView, WorkerView } from '#protocol';
import { ask, faultPaths, refusal, tokenFor, type Ask } from './helpers/api.ts';

const token = tokenFor(['submit', 'read'], { sub: 'ann' });
const work = tokenFor(['work'], { sub: 'lab' });
const admin = tokenFor(['admin'], { sub: 'root' });

async function got<T>(method: string, path: string, options: Ask, status = 200): Promise<T> {
  const answer = await ask(method, path, options);
  if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json<T>();
}

interface Submitted {
  task_id: string;
  state: string;
  queue: string;
}

/** A task that only a worker of the queue can take. */
const forWorkers = (queue: string) => ({
  task: 'evaluate_candidates',
  queue,
  kwargs: { candidates: [[1, 2]], evaluator: { kind: 'builtin', name: 'sphere' } },
});

function submit(json: unknown, headers: Record<string, string> = {}): Promise<Submitted> {
  return got('POST', '/v1/tasks', { token, json, headers }, 202);
}

function taskOf(id: string, query = ''): Promise<TaskView> {
  return got('GET', `/v1/tasks/${id}${query}`, { token });
}

describe('tasks', () => {
  it('are submitted, run and waited for', async () => {
    const submitted = await submit({ task: 'tasks.simple_tasks.ping', labels: ['hello'] });
    expect(submitted).toMatchObject({ state: 'PENDING', queue: 'default' });
    expect(await taskOf(submitted.task_id, '?wait=30')).toMatchObject({
      task: 'ping',
      state: 'SUCCESS',
      result: { status: 'pong' },
      labels: ['hello'],
      owner: 'ann',
      error: null,
    });
  });

  it('that are not final are answered with their present state when the wait is over', async () => {
    const { task_id: id } = await submit(forWorkers('nobody'));
    expect(await taskOf(id, '?wait=0.05')).toMatchObject({ state: 'PENDING', result: null, runtime: null });
  });

  it('are submitted many at once, in order, all or none', async () => {
    const { tasks } = await got<{ tasks: Submitted[] }>(
      'POST',
      '/v1/tasks',
      { token, json: Array.from({ length: 20 }, (_, i) => ({ task: 'ping', priority: i % 10, labels: ['many'] })) },
      202,
    );
    const ids = tasks.map(({ task_id: id }) => id);
    expect(new Set(ids).size).toBe(20);
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await got<{ tasks: TaskView[]; next_cursor: string | null }>(
        'GET',
        `/v1/tasks?label=many&limit=7&cursor=${cursor}`,
        { token },
      );
      seen.push(...page.tasks.map(({ task_id: id }) => id));
      cursor = page.next_cursor ?? '';
    } while (cursor !== '');
    expect(seen).toEqual(ids.toReversed());
  });

  it('of one key are one task, and with another body a conflict', async () => {
    const headers = { 'idempotency-key': 'same' };
    const first = await submit(forWorkers('keyed'), headers);
    expect(await submit(forWorkers('keyed'), headers)).toEqual(first);
    const other = await ask('POST', '/v1/tasks', { token, json: { ...forWorkers('keyed'), priority: 1 }, headers });
    expect(await refusal(other)).toMatchObject({ status: 409, code: 'idempotency_conflict' });
    const stranger = tokenFor(['submit'], { sub: 'ben' });
    const theirs = await got<Submitted>(
      'POST',
      '/v1/tasks',
      { token: stranger, json: forWorkers('keyed'), headers },
      202,
    );
    expect(theirs.task_id).not.toBe(first.task_id);
  });

  it.each(['', 'x'.repeat(256)])('have keys of 1 to 255 characters, not %j', async (key) => {
    const answer = await ask('POST', '/v1/tasks', {
      token,
      json: { task: 'ping' },
      headers: { 'idempotency-key': key },
    });
    expect(await refusal(answer)).toMatchObject({ status: 422, code: 'invalid_request' });
  });

  it('are revoked with or without a body, and run again as new ones', async () => {
    const { task_id: id } = await submit(forWorkers('revoked'));
    expect(await refusal(await ask('POST', `/v1/tasks/${id}/retry`, { token }))).toMatchObject({ status: 409 });
    expect(await got<TaskView>('POST', `/v1/tasks/${id}/revoke`, { token })).toMatchObject({ state: 'REVOKED' });
    expect(await got<TaskView>('POST', `/v1/tasks/${id}/revoke`, { token, json: { terminate: true } })).toMatchObject({
      state: 'REVOKED',
    });
    const headers = { 'idempotency-key': 'again' };
    const again = await got<Submitted>('POST', `/v1/tasks/${id}/retry`, { token, headers }, 202);
    expect(await taskOf(again.task_id)).toMatchObject({ retry_of: id, state: 'PENDING' });
    expect(await got('POST', `/v1/tasks/${id}/retry`, { token, headers }, 202)).toEqual(again);
  });
});

describe('leases over HTTP', () => {
  interface Lease {
    lease_id: string;
    attempt: number;
    time_limit: number;
    soft_time_limit: number;
    kwargs: object;
    owner: string;
  }

  const lease = (queue: string, count = 1): Promise<{ leases: Lease[] }> =>
    got('POST', '/v1/leases', { token: work, json: { queues: [queue], count, capabilities: {} } });

  it('carry a task from its claim to its result', async () => {
    const { task_id: id } = await submit({ ...forWorkers('http'), time_limit: 60, soft_time_limit: 50 });
    const { leases } = await lease('http', 5);
    expect(leases).toMatchObject([
      { lease_id: id, attempt: 1, owner: 'ann', time_limit: 60, soft_time_limit: 50, kwargs: { candidates: [[1, 2]] } },
    ]);
    const call = (verb: string, json: object) => got('POST', `/v1/leases/${id}/${verb}`, { token: work, json });
    expect(await call('renew', { attempt: 1 })).toEqual({ expires_in: 30 });
    expect(await call('progress', { attempt: 1, progress: { fraction: 0.5 } })).toEqual({ status: 'recorded' });
    const result = { values: [{ y: 5 }], failed: [] };
    for (let i = 0; i < 2; i++) {
      expect(await call('result', { attempt: 1, result, runtime: 1.5 })).toEqual({ status: 'recorded' });
    }
    expect(await taskOf(id)).toMatchObject({ state: 'SUCCESS', result, worker: 'http@lab' });
    expect((await lease('http')).leases).toEqual([]);
  });

  it('are given back, and failed for good or for another try', async () => {
    const { task_id: id } = await submit({ ...forWorkers('back'), max_retries: 1, retry_backoff: false });
    const call = (verb: string, json: object) => got('POST', `/v1/leases/${id}/${verb}`, { token: work, json });
    const [first] = (await lease('back')).leases;
    await call('release', { attempt: first?.attempt });
    const [second] = (await lease('back')).leases;
    expect(second?.attempt).toBe(2);
    const error = { type: 'task_failed', message: 'it broke' };
    await call('failure', { attempt: 2, error });
    expect(await taskOf(id)).toMatchObject({ state: 'RETRY', retries: 1 });
    const [third] = (await lease('back')).leases;
    await call('failure', { attempt: third?.attempt, error, retryable: false });
    expect(await taskOf(id)).toMatchObject({ state: 'FAILURE', error });
  });

  it('go only to who has what a task needs', async () => {
    const evaluator = { kind: 'named', name: 'barrel' };
    await submit({ task: 'evaluate_candidates', queue: 'named', kwargs: { candidates: [[1]], evaluator } });
    expect((await lease('named')).leases).toEqual([]);
    const capabilities = { evaluators: ['barrel'], tasks: ['materia.tasks.evaluate_candidates'] };
    const { leases } = await got<{ leases: Lease[] }>('POST', '/v1/leases', {
      token: work,
      json: { queues: ['named'], count: 1, capabilities },
    });
    expect(leases).toHaveLength(1);
  });
});

describe('campaigns', () => {
  const spec = {
    name: 'bowl',
    space: { inputs: [{ name: 'a', type: 'float', min: -1, max: 1 }] },
    objectives: [{ name: 'y', goal: 'min' }],
    evaluator: { kind: 'builtin', name: 'sphere' },
    initial: 2,
    budget: 4,
    seed: 1,
  };

  interface Started {
    campaign_id: string;
    task_id: string;
  }

  it('begin at once, are listed by the task that stands for them, and end when told to', async () => {
    const headers = { 'idempotency-key': 'bowl' };
    const started = await got<Started>('POST', '/v1/campaigns/run', { token, json: spec, headers }, 202);
    expect(await got('POST', '/v1/campaigns/run', { token, json: spec, headers }, 202)).toEqual(started);
    const other = await ask('POST', '/v1/campaigns/run', { token, json: { ...spec, seed: 2 }, headers });
    expect(await refusal(other)).toMatchObject({ status: 409, code: 'idempotency_conflict' });
    const path = `/v1/campaigns/${started.campaign_id}`;
    expect(await got<CampaignView>('GET', path, { token })).toMatchObject({
      ...started,
      name: 'bowl',
      state: 'RUNNING',
    });
    expect(await got('GET', `${path}/pareto`, { token })).toMatchObject({ front: [] });
    await expect
      .poll(async () => (await got<{ campaigns: Started[] }>('GET', '/v1/campaigns', { token })).campaigns)
      .toMatchObject([started]);
    expect(await got<CampaignView>('POST', `${path}/stop`, { token })).toMatchObject({ state: 'STOPPED' });
    const csv = await ask('GET', `${path}/export?format=csv`, { token });
    expect(csv.headers.get('content-type')).toContain('csv');
    expect(csv.headers.get('content-disposition')).toContain(`${started.campaign_id}.csv`);
    const stranger = tokenFor(['read', 'submit'], { sub: 'ben' });
    expect((await ask('GET', path, { token: stranger })).status).toBe(404);
    expect((await ask('POST', `${path}/stop`, { token: stranger })).status).toBe(404);
  });

  it('without a key are as many as were asked for', async () => {
    const asked = { token, json: spec };
    const [a, b] = [
      await got<Started>('POST', '/v1/campaigns/run', asked, 202),
      await got<Started>('POST', '/v1/campaigns/run', asked, 202),
    ];
    expect(a.campaign_id).not.toBe(b.campaign_id);
    for (const { campaign_id: id } of [a, b]) await got('POST', `/v1/campaigns/${id}/stop`, { token });
  });

  it.each([
    [{ ...spec, budget: 0 }, 'budget'],
    [{ ...spec, space: { inputs: [{ name: 'a', type: 'float', min: 0, max: 'x' }] } }, 'space.inputs.0.max'],
    [{ ...spec, evaluator: { kind: 'named', name: 'x', command: 'rm' } }, 'evaluator.command'],
    [{ ...spec, colour: 'red' }, 'colour'],
    [{ ...spec, surrogate: { kind: 'tree' } }, 'surrogate.kind'],
    [{ ...spec, surrogate: { kind: 'gp', hidden: [8] } }, 'surrogate.hidden'],
    [{ ...spec, surrogate: { kind: 'forest', covariance: 'rbf' } }, 'surrogate.covariance'],
    [{ ...spec, surrogate: { n_estimators: 10 } }, 'surrogate.n_estimators'],
    [{ ...spec, surrogate: { kind: 'gp' }, budget: 2001 }, 'surrogate.kind'],
  ])('that do not fit are refused by name', async (json, path) => {
    const { status, details } = await refusal(await ask('POST', '/v1/campaigns/run', { token, json }));
    expect([status, details?.faults?.map((fault) => fault.path)]).toEqual([422, [path]]);
  });
});

describe('many tasks at once', () => {
  it('are revoked and run again by what describes them', async () => {
    for (let n = 0; n < 3; n++) await submit({ ...forWorkers('bulk'), labels: ['bulk'] });
    const json = { labels: ['bulk'], queue: 'bulk' };
    expect(await got('POST', '/v1/tasks/revoke', { token, json })).toEqual({ revoked: 3, next_cursor: null });
    const state = 'REVOKED';
    type Retried = { tasks: { retry_of: string }[]; next_cursor: string | null };
    const first = await got<Retried>('POST', '/v1/tasks/retry', { token, json: { ...json, state, limit: 2 } }, 202);
    const cursor = first.next_cursor;
    const rest = await got<Retried>(
      'POST',
      '/v1/tasks/retry',
      { token, json: { ...json, state, limit: 2, cursor } },
      202,
    );
    expect(rest.next_cursor).toBeNull();
    const replayed = [...first.tasks, ...rest.tasks].map((task) => task.retry_of);
    const page = '/v1/tasks?label=bulk&state=REVOKED,FAILURE&order=oldest&until=2100-01-01T00:00:00Z&error=revoked';
    const { tasks } = await got<{ tasks: { task_id: string }[] }>('GET', page, { token });
    expect(tasks.map((task) => task.task_id)).toEqual(replayed.reverse());
  });

  it.each([
    ['revoke', {}, ''],
    ['revoke', { terminate: true }, ''],
    ['revoke', { label: 'x', cursor: 'x' }, 'cursor'],
    ['retry', { error: 'nope' }, 'error'],
    ['retry', { state: 'STARTED' }, 'state'],
    ['retry', { task: 'ping', limit: 0 }, 'limit'],
  ])('need a filter that fits: %s %j', async (what, json, path) => {
    expect(await faultPaths(await ask('POST', `/v1/tasks/${what}`, { token, json }))).toEqual([path]);
  });
});

describe('the grid', () => {
  it('shows queues and workers', async () => {
    await submit(forWorkers('shown'));
    const { queues } = await got<{ queues: { queue: string; waiting: number }[] }>('GET', '/v1/queues', { token });
    expect(queues).toContainEqual(expect.objectContaining({ queue: 'shown', waiting: 1 }));
    expect(queues.map(({ queue }) => queue)).toEqual(expect.arrayContaining(['high_priority', 'gpu_training']));
    const { workers } = await got<{ workers: WorkerView[] }>('GET', '/v1/workers', { token: admin });
    expect(workers.map(({ worker_id: id }) => id)).toContain('http@lab');
  });

  it('counts for Prometheus', async () => {
    const { task_id: id } = await submit({ task: 'ping' });
    await taskOf(id, '?wait=30');
    const answer = await ask('GET', '/metrics', { token });
    expect(answer.headers.get('content-type')).toContain('version=0.0.4');
    const lines = (await answer.text()).trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+\{(\w+="[^"]*",?)+\} -?[\d.e+-]+)$/);
    expect(lines.join('\n')).toMatch(
      /tabgrid_tasks_finished_total\{shard="0",task="ping",queue="default",state="SUCCESS"\} [1-9]/,
    );
  });

  it('remembers events, by pages', async () => {
    const { task_id: id } = await submit({ task: 'ping', labels: ['remembered'] });
    await taskOf(id, '?wait=30');
    type Page = { events: { type: string }[]; next_cursor: string | null; positions: { shard: number; seq: number }[] };
    const seen: string[] = [];
    let path: string | null = '/v1/events/history?label=remembered&limit=3';
    while (path !== null) {
      const page: Page = await got<Page>('GET', path, { token });
      seen.push(...page.events.map(({ type }) => type));
      path =
        page.next_cursor === null ? null : `/v1/events/history?label=remembered&limit=3&cursor=${page.next_cursor}`;
      if (path === null) expect(page.positions).toMatchObject([{ shard: 0 }]);
    }
    expect(seen).toEqual(['task-sent', 'task-received', 'task-started', 'task-succeeded']);
    expect((await ask('GET', '/v1/events/history?types=nope', { token })).status).toBe(422);
    expect((await ask('GET', '/v1/events/history?shard=7', { token })).status).toBe(422);
  });

  it('tells when a worker is not there to be asked', async () => {
    const answer = await ask('POST', '/v1/workers/nobody/grow', { token: admin, json: { n: 2 } });
    expect(await refusal(answer)).toMatchObject({ status: 404, code: 'not_found' });
    expect((await ask('POST', '/v1/workers/nobody/dance', { token: admin })).status).toBe(404);
  });
});
