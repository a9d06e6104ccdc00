import { runInDurableObject } from 'cloudflare:test';
import { afterAll, describe, expect, it } from 'vitest';
import { limits, type Json, type JsonObject } from '#protocol';
import { beatAddress } from '../../edge/beat/rpc.ts';
import { jsonBytes } from '../../edge/lib/json-bytes.ts';
import { dropAlarms } from './helpers/alarms.ts';
import { ask, refusal, testEnv, tokenFor, type Ask } from './helpers/api.ts';
import { helloFrame, TestSocket } from './helpers/broker.ts';

afterAll(dropAlarms);

const token = tokenFor(['submit', 'read', 'work', 'admin'], { sub: 'lim' });
const digest = 'f'.repeat(64);
const unknownRef = { task_id: '0-01aaaaaaaaaaaaaaaaaaaaaaaa', attempt: 1 };

/** What became of something. */
interface Answer {
  status?: number;
  /** Absent where it was taken. */
  code?: string;
  message?: string;
  /** The code that the socket was closed with. */
  closed?: number;
}

interface Case {
  /** Does what the limit is about, with so much of it. */
  readonly at: (amount: number) => Promise<Answer>;
  /** How one too much is refused. */
  readonly refused: Answer & { readonly message: string };
  /** The least that is too much, where the unit is coarser than one. */
  readonly step?: number;
}

async function request(method: string, path: string, options: Ask = {}): Promise<Answer> {
  const answer = await ask(method, path, { token, ...options });
  if (answer.status >= 400) return refusal(answer);
  await answer.body?.cancel();
  return { status: answer.status };
}

const post = (path: string, json: Json): Promise<Answer> => request('POST', path, { json });

/** What the edge says to a worker’s frame. */
async function frame(text: string): Promise<Answer> {
  const { webSocket } = await ask('GET', '/v1/worker', { token, headers: { upgrade: 'websocket' } });
  const socket = new TestSocket(webSocket!);
  socket.say(helloFrame());
  await socket.next('welcome');
  socket.sayText(text);
  const refused = socket.next('error').then(({ error }): Answer => error);
  const answer = await Promise.race([refused, socket.settled().then((): Answer => ({}))]);
  if (answer.code !== 'body_too_large') {
    socket.socket.close();
    return answer;
  }
  return { ...answer, closed: (await socket.closed).code };
}

const say = (said: Json): Promise<Answer> => frame(JSON.stringify(said));

/** An evaluation for which there is no worker. */
const evaluation = {
  task: 'evaluate_candidates',
  kwargs: { candidates: [[1]], evaluator: { kind: 'named', name: 'nobodys' } },
  queue: 'limits',
};

/** So many searches, one for each seed. */
function searches(count: number): JsonObject {
  const kwargs = { objective: { builtin: 'sphere' }, dimension: 2, bounds: [-1, 1] };
  return { task: 'run_cmaes_optimization', kwargs, items: { grid: { seed: { range: [0, count] } } }, queue: 'limits' };
}

function ofLength<T>(length: number, value: T): T[] {
  return Array<T>(length).fill(value);
}

/** Keyword arguments of so many bytes, those of `args` (`[]`) counted. */
function argumentsOf(bytes: number): JsonObject {
  const row = ofLength(60, 0.1234567890123456);
  const candidates: Json[] = [];
  const kwargs = (name: string): JsonObject => ({ candidates, evaluator: { kind: 'named', name } });
  const rowBytes = jsonBytes(row) + 1;
  const left = (): number => bytes - 2 - jsonBytes(kwargs(''));
  candidates.push(...ofLength(Math.floor(left() / rowBytes), row));
  while (left() > limits.maxNameChars) candidates.push(row.slice(0, Math.max(1, Math.floor((left() - 30) / 19))));
  return kwargs('n'.repeat(left()));
}

/** What became of a task whose worker reports a result of so many bytes. */
async function resultOf(bytes: number): Promise<Answer> {
  const queue = `limits-${bytes}`;
  const kwargs = { candidates: [[1]], evaluator: { kind: 'builtin', name: 'sphere' } };
  await post('/v1/tasks', { ...evaluation, kwargs, queue });
  const { leases } = await (
    await ask('POST', '/v1/leases', { token, json: { queues: [queue] } })
  ).json<{ leases: { lease_id: string }[] }>();
  const id = leases[0]!.lease_id;
  await post(`/v1/leases/${id}/result`, { attempt: 1, result: 'x'.repeat(bytes - 2) });
  const { error } = await (
    await ask('GET', `/v1/tasks/${id}`, { token })
  ).json<{ error: { type: string; message: string } | null }>();
  return error === null ? {} : { code: error.type, message: error.message };
}

/** Puts the schedule that makes them so many. */
async function schedules(count: number): Promise<Answer> {
  const stub = testEnv.BEAT.get(testEnv.BEAT.idFromName(beatAddress.name));
  const inBeat = (query: string): Promise<void> =>
    runInDurableObject(stub, (_, { storage }) => void storage.sql.exec(query));
  await inBeat(`DELETE FROM schedules WHERE owner = 'lim'`);
  await inBeat(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})
     INSERT INTO schedules (owner, name, id, spec, anchor_ms, created_ms, updated_ms) SELECT 'lim', 's' || i, i, '{}', 0, 0, 0 FROM n`,
  );
  const answer = await request('PUT', '/v1/schedules/last', {
    json: { schedule: { every: 60 }, signature: evaluation },
  });
  await inBeat(`DELETE FROM schedules WHERE owner = 'lim'`);
  return answer;
}

/** One page without a limit of its own, of so many tasks. */
async function pageOf(count: number): Promise<Answer> {
  const label = `page-${count}`;
  await post('/v1/tasks', ofLength(count, { ...evaluation, labels: [label] }));
  const { tasks } = await (await ask('GET', `/v1/tasks?label=${label}`, { token })).json<{ tasks: unknown[] }>();
  return tasks.length === count ? {} : { message: `${tasks.length} of ${count}` };
}

/** Waits for a task that is final. */
async function waiting(seconds: number): Promise<Answer> {
  const { task_id: id } = await (
    await ask('POST', '/v1/tasks', { token, json: evaluation })
  ).json<{ task_id: string }>();
  await post(`/v1/tasks/${id}/revoke`, {});
  return request('GET', `/v1/tasks/${id}?wait=${seconds}`);
}

function objectsWithin(levels: number): Json {
  return levels === 1 ? {} : { a: objectsWithin(levels - 1) };
}

function groupsWithin(levels: number): Json {
  return levels === 1 ? evaluation : { group: [groupsWithin(levels - 1)] };
}

const unfit = (message: string): Case['refused'] => ({ status: 422, code: 'invalid_request', message });
const unfitFrame = (message: string): Case['refused'] => ({ code: 'invalid_frame', message });

/** A limit without a case does not compile. */
const cases: Record<keyof typeof limits, Case> = {
  maxJsonBodyBytes: {
    at: (bytes) => request('POST', '/v1/tasks', { body: JSON.stringify(evaluation).padEnd(bytes) }),
    refused: { status: 413, code: 'body_too_large', message: 'the body is larger than 4194304 bytes' },
  },
  maxJsonDepth: {
    at: (levels) => post('/v1/control/ping', { arguments: objectsWithin(levels - 1) }),
    refused: unfit('expected at most 64 levels of nesting'),
  },
  maxFileBytes: {
    at: (bytes) => request('PUT', '/v1/files/large', { body: new Uint8Array(bytes) }),
    refused: { status: 413, code: 'body_too_large', message: '95000000 bytes' },
  },
  maxFrameBytes: {
    at: (bytes) => {
      const [head, tail] = ['{"type":"control_reply","request_id":"none","reply":{"ok":"', '"}}'];
      // Two bytes each.
      const text = 'é'.repeat(Math.floor((bytes - head.length - tail.length) / 2));
      return frame(head + text + 'x'.repeat(bytes - head.length - tail.length - 2 * text.length) + tail);
    },
    refused: { code: 'body_too_large', closed: 1009, message: 'a frame has at most 8388608 bytes' },
  },
  maxArgumentsBytes: {
    at: (bytes) => post('/v1/tasks', { ...evaluation, kwargs: argumentsOf(bytes) }),
    refused: { status: 413, code: 'body_too_large', message: 'kwargs: expected at most 1048576 bytes, got 1048577' },
  },
  maxResultBytes: {
    at: resultOf,
    refused: {
      code: 'body_too_large',
      message: 'the result has 1048577 bytes; larger ones than 1048576 must be files',
    },
  },
  maxSnapshotBytes: {
    at: (bytes) => {
      const data = 'A'.repeat(Math.ceil(bytes / 3) * 4);
      return say({ type: 'snapshot', ...unknownRef, snapshot: { kernel_digest: digest, data } });
    },
    refused: unfitFrame('snapshot.data: Too big: expected string to have <=1398104 characters'),
    step: 3,
  },
  maxTasksPerRequest: {
    at: (count) => post('/v1/tasks', ofLength(count, evaluation)),
    refused: unfit('expected array to have <=1000 items'),
  },
  maxTasksPerFrame: {
    at: (count) => say({ type: 'started', items: ofLength(count, unknownRef) }),
    refused: unfitFrame('items: Too big: expected array to have <=200 items'),
  },
  maxFramesPerMessage: {
    at: async (count) => {
      const { webSocket } = await ask('GET', '/v1/submit', { token, headers: { upgrade: 'websocket' } });
      const socket = new TestSocket(webSocket!);
      const watch = { type: 'watch', task_ids: [unknownRef.task_id] };
      socket.sayText(JSON.stringify(ofLength(count, watch)));
      const text = await socket.text((each) => !each.includes('"welcome"'));
      socket.socket.close();
      return (JSON.parse(text) as { error?: Answer }).error ?? {};
    },
    refused: unfitFrame('message: expected at most 1000 frames, got 1001'),
  },
  maxCredits: {
    at: (add) => say({ type: 'credits', add }),
    refused: unfitFrame('add: Too big: expected number to be <=1000'),
  },
  maxNameChars: {
    at: (chars) => post('/v1/tasks', { ...evaluation, queue: 'q'.repeat(chars) }),
    refused: unfit('queue: Too big: expected string to have <=128 characters'),
  },
  maxPathChars: {
    at: (chars) => request('PUT', `/v1/files/${'p'.repeat(chars - 1)}`, { body: 'x' }),
    refused: unfit('path: expected a path such as /datasets/barrel.csv of at most 512 characters'),
  },
  maxScheduleNameChars: {
    at: (chars) =>
      request('PUT', `/v1/schedules/${'s'.repeat(chars)}`, {
        json: { schedule: { every: 86_400 }, signature: evaluation },
      }),
    refused: unfit('name: Too big: expected string to have <=48 characters'),
  },
  maxSchedules: {
    at: schedules,
    refused: { status: 409, code: 'conflict', message: 'one owner has at most 1000 schedules' },
  },
  maxCanvasNodes: {
    at: (count) => post('/v1/workflows', { group: ofLength(count - 1, evaluation) }),
    refused: unfit('expected at most 1000 parts in all, got 1001'),
  },
  maxCanvasDepth: {
    at: (levels) => post('/v1/workflows', groupsWithin(levels)),
    refused: unfit('expected at most 16 levels of parts within one another'),
  },
  maxInlineItems: {
    at: (count) => post('/v1/workflows', { starmap: { ...searches(1), items: ofLength(count, { seed: 1 }) } }),
    refused: unfit('starmap.items: Too big: expected array to have <=1000 items'),
  },
  maxArrayItems: {
    at: (count) => post('/v1/workflows', { starmap: searches(count) }),
    refused: unfit('starmap.items: expected at most 10000000 items, got 10000001'),
  },
  maxDurationSeconds: {
    at: (seconds) => post('/v1/tasks', { ...evaluation, expires: seconds }),
    refused: unfit('expires: Too big: expected number to be <=31622400'),
  },
  maxChunkSize: {
    at: (size) => post('/v1/workflows', { chunks: { ...searches(3), size } }),
    refused: unfit('chunks.size: Too big: expected number to be <=10000'),
  },
  maxLabels: {
    at: (count) => post('/v1/tasks', { ...evaluation, labels: ofLength(count, 'l') }),
    refused: unfit('labels: Too big: expected array to have <=16 items'),
  },
  maxLabelChars: {
    at: (chars) => post('/v1/tasks', { ...evaluation, labels: ['l'.repeat(chars)] }),
    refused: unfit('labels.0: Too big: expected string to have <=64 characters'),
  },
  maxPageSize: {
    at: (size) => request('GET', `/v1/tasks?limit=${size}`),
    refused: unfit('limit: Too big: expected number to be <=1000'),
  },
  defaultPageSize: {
    at: pageOf,
    refused: { message: '100 of 101' },
  },
  maxWaitSeconds: {
    at: waiting,
    refused: unfit('wait: Too big: expected number to be <=60'),
  },
};

describe('the limit', () => {
  it.each(Object.keys(cases) as (keyof typeof limits)[])(
    '%s is kept: just what fits is taken, one more refused by name',
    async (name) => {
      const { at, refused, step = 1 } = cases[name];
      const taken = await at(limits[name]);
      expect(taken.message).toBeUndefined();
      const { message, ...answer } = refused;
      const given = await at(limits[name] + step);
      expect(given).toMatchObject(answer);
      expect(given.message).toContain(message);
    },
  );
});
