import { createExecutionContext } from 'cloudflare:test';
import fc from 'fast-check';
import { afterAll, describe, expect, inject, it, vi } from 'vitest';
import { errorCodes, isErrorCode, scopes, type Scope, type TaskView } from '#protocol';
import edge from '../../edge/index.ts';
import { owner, queue, secret, settle, type Owner, type Property } from './fuzz/neighbour.ts';
import { hostileRequests, type HostileRequest } from './fuzz/requests.ts';
import { dropAlarms, inAllObjects } from './helpers/alarms.ts';
import { ask, origin, testEnv, tokenFor } from './helpers/api.ts';

const { seed, runs } = inject('fuzz');
/** Defects are logged, whatever is answered. */
const logged = vi.fn();
vi.spyOn(console, 'error').mockImplementation(logged);
vi.spyOn(console, 'warn').mockImplementation(logged);

const neighbour = owner('neighbour');
const theirs = await settle(neighbour, secret);
const own = await settle(owner('stranger'), 'own');

afterAll(dropAlarms);

/** Asks the Worker’s own handler: many requests over the loopback in one test become slower and slower, which is the runner’s doing. */
async function send(
  { method, path, headers, body, scope }: HostileRequest,
  sub: string,
  shards: number,
): Promise<Response> {
  const token = scope === null ? null : tokenFor([...scope], { sub });
  const request = new Request(`${origin}${path}`, {
    method,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
    body,
  });
  const env = { ...testEnv, TABGRID_CONFIG: JSON.stringify({ shards }) };
  const answer = await edge.fetch(request as never, env, createExecutionContext());
  answer.webSocket?.accept();
  answer.webSocket?.close();
  return answer;
}

/** A success, or an error of the closed list with its status and some words, and never a defect of ours. */
function check({ method }: HostileRequest, { status }: Response, text: string): void {
  expect(status, text).not.toBe(500);
  if (status < 400 || method === 'HEAD') return;
  const { error, ...rest } = JSON.parse(text) as { error: { code: string; message: string } };
  expect(rest).toEqual({});
  if (!isErrorCode(error.code)) throw new Error(`not of the list: ${error.code}`);
  expect(errorCodes[error.code].status).toBe(status);
  expect(error.message.length).toBeGreaterThan(3);
}

let fuzzed = 0;

/** Other requests each time. @param heard all that an answer says, its headers too, and whether it refuses */
async function fuzz(
  allowed: readonly Scope[],
  subOf: () => string,
  heard: (text: string, sub: string, refused: boolean) => void,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(hostileRequests([theirs, own], allowed), fc.constantFrom(1, 2), async (request, shards) => {
      logged.mockClear();
      const sub = subOf();
      const answer = await send(request, sub, shards);
      const text = await answer.text();
      check(request, answer, text);
      heard(JSON.stringify([...answer.headers]) + text, sub, answer.status >= 400);
      expect(logged.mock.calls).toEqual([]);
    }),
    { seed: seed + fuzzed++, numRuns: runs },
  );
}

/** What an owner sees of its own. */
async function viewOf({ token }: Owner, { taskIds, path, schedule }: Property): Promise<unknown[]> {
  const paths = [
    ...taskIds.map((id) => `/v1/tasks/${id}`),
    `/v1/files${path}`,
    '/v1/files',
    `/v1/schedules/${schedule}`,
  ];
  return Promise.all(paths.map(async (each) => (await ask('GET', each, { token })).text()));
}

/** Submits a task, computes it and answers with what its owner sees. */
async function honestWork(): Promise<TaskView> {
  const honest = tokenFor(['submit', 'read', 'work'], { sub: 'honest' });
  const got = async <T>(method: string, path: string, json?: unknown): Promise<T> =>
    (await ask(method, path, { token: honest, ...(json === undefined ? {} : { json }) })).json<T>();
  const kwargs = { candidates: [[1]], evaluator: { kind: 'builtin', name: 'sphere' } };
  const { task_id: id } = await got<TaskView>('POST', '/v1/tasks', {
    task: 'evaluate_candidates',
    kwargs,
    queue: 'honest',
  });
  const { leases } = await got<{ leases: { attempt: number }[] }>('POST', '/v1/leases', { queues: ['honest'] });
  await got('POST', `/v1/leases/${id}/result`, {
    attempt: leases[0]!.attempt,
    result: { values: [{ y: 1 }], failed: [] },
  });
  return got('GET', `/v1/tasks/${id}`);
}

const volunteers: Scope[] = ['submit', 'read', 'volunteer'];

describe('whatever is asked', () => {
  it('is answered or refused by name, tells nothing of others and changes nothing of theirs', async () => {
    const before = await viewOf(neighbour, theirs);
    await fuzz(
      volunteers,
      () => 'stranger',
      (text) => expect(text).not.toContain(secret),
    );
    expect(await viewOf(neighbour, theirs)).toEqual(before);
    // What was looked for is there.
    expect(before.join()).toContain(secret);
  });

  it('leaves no row where it is refused', async () => {
    const refused: string[] = [];
    let asked = 0;
    await fuzz(
      volunteers,
      () => `refused-${asked++}.`,
      (_, sub, isRefused) => (isRefused ? refused.push(sub) : undefined),
    );
    const rows = await inAllObjects(({ storage: { sql } }) =>
      sql
        .exec<{ name: string }>(
          `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'`,
        )
        .toArray()
        .flatMap(({ name }) => sql.exec(`SELECT * FROM "${name}"`).toArray()),
    );
    const stored = JSON.stringify(rows);
    expect(refused.filter((sub) => stored.includes(sub))).toEqual([]);
    expect(stored).toContain(secret);
    expect(refused.length).toBeGreaterThan(runs / 4);
  });

  it('by workers and operators breaks nothing either, and leaves the grid at work', async () => {
    await fuzz(
      scopes,
      () => 'operator',
      () => undefined,
    );
    const admin = { token: tokenFor(['admin']) };
    const lifted = { json: { rate_limit: null, time_limit: null, soft_time_limit: null }, ...admin };
    expect((await ask('PATCH', '/v1/task-types/evaluate_candidates', lifted)).status).toBe(200);
    expect(await honestWork()).toMatchObject({ state: 'SUCCESS', result: { values: [{ y: 1 }] } });
    expect((await ask('GET', `/v1/queues`, admin)).status, queue).toBe(200);
  });
});
