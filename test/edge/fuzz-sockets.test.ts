import fc from 'fast-check';
import { describe, expect, inject, it, vi } from 'vitest';
import {
  framesOf,
  heartbeat,
  isErrorCode,
  submitterFrameSchema,
  workerFrameSchema,
  type Json,
  type JsonObject,
  type Scope,
  type TaskId,
  type TaskView,
  type WorkerId,
} from '#protocol';
import { Broking } from '../../edge/broker/broking.ts';
import type { NewTask } from '../../edge/broker/rpc.ts';
import { fitting } from './fuzz/from-schema.ts';
import { damaged, damagedText, hostileValue } from './fuzz/hostile.ts';
import { secret } from './fuzz/neighbour.ts';
import { BrokerWorld, digestA, helloFrame, ok, principal, success } from './helpers/broker.ts';

const { seed, runs } = inject('fuzz');
const taken = vi.spyOn(Broking.prototype, 'take');
const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined);

/** Stands for the task that the socket was given last. */
const given = '0-00000000000000000000000000' as TaskId;
const unknown = '0-01aaaaaaaaaaaaaaaaaaaaaaaa' as TaskId;

const mallory = principal('mallory', 'submit', 'work');

const ref = { task_id: given, attempt: 1 };
const hello = helloFrame({ worker_id: 'mallory-1' as WorkerId, name: 'mallory', credits: 3 }) as unknown as JsonObject;

/** What a worker says that behaves. */
const soundFrames: Json[] = [
  hello,
  { ...hello, holding: [ref], credits: 0, batches: true },
  { type: 'credits', add: 2 },
  { type: 'withdraw', count: 1 },
  { type: 'started', items: [ref] },
  { type: 'progress', items: [{ ...ref, progress: { fraction: 0.5, message: 'half', details: { a: 1 } } }] },
  { type: 'snapshot', ...ref, snapshot: { kernel_digest: digestA, data: 'AAAA' } },
  { type: 'outcomes', items: [{ ...ref, outcome: success(), runtime_ms: 5 }], credits: 1 },
  {
    type: 'outcomes',
    items: [
      {
        ...ref,
        outcome: { type: 'failure', error: { type: 'task_failed', message: 'no', traceback: 't' }, retryable: true },
        runtime_ms: 5,
      },
    ],
    credits: 1,
  },
  { type: 'outcomes', items: [{ ...ref, outcome: { type: 'released', reason: 'x' }, runtime_ms: 0 }], credits: 0 },
  { type: 'outcomes', items: [{ ...ref, outcome: { type: 'revoked' }, runtime_ms: 0 }], credits: 0 },
  { type: 'adopt', group: 'g', items: [ref] },
  { type: 'goodbye', reason: 'home' },
  { type: 'control_reply', request_id: 'r', reply: { ok: { a: 1 } } },
];

const signature = {
  task: 'evaluate_candidates',
  kwargs: { candidates: [[1, 2]], evaluator: { kind: 'named', name: 'sim' } },
  queue: 'mallorys',
};

const soundSubmissions: Json[] = [
  { type: 'submit', request_id: 'r', tasks: [signature] },
  {
    type: 'submit',
    request_id: 'r',
    key: 'k',
    tasks: [signature, { ...signature, priority: 3, expires: 60, labels: ['a'] }],
  },
  {
    type: 'submit',
    request_id: 'r',
    tasks: [{ ...signature, countdown: 9, time_limit: 5, retry_backoff: 3, args: [] }],
  },
  { type: 'watch', task_ids: [given, unknown] },
  // Several in one message.
  [
    { type: 'submit', request_id: 'a', tasks: [signature] },
    { type: 'watch', task_ids: [unknown] },
    { type: 'submit', request_id: 'b', key: 'k2', tasks: [signature] },
  ],
];

interface Attack {
  readonly path: '/v1/worker' | '/v1/submit' | '/v1/events';
  readonly scope: Scope;
  readonly says: readonly (string | Uint8Array<ArrayBuffer>)[];
}

/** What is said on one socket, mostly after a greeting that lets it go on. */
function attacks(ids: readonly string[]): fc.Arbitrary<Attack> {
  const free = fc.oneof(fc.constantFrom<Json>(...ids, given, unknown), hostileValue);
  const said = (sound: readonly Json[], fits: fc.Arbitrary<Json>) =>
    fc.oneof(
      {
        weight: 9,
        arbitrary: damagedText(damaged(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...sound) }, fits))),
      },
      fc.uint8Array({ maxLength: 20 }),
      fc.constantFrom('ping', ''),
    );
  const workers = said(
    [
      ...soundFrames,
      ...ids.map((id) => ({
        type: 'outcomes',
        items: [{ task_id: id, attempt: 1, outcome: success('mine'), runtime_ms: 1 }],
        credits: 0,
      })),
    ],
    fitting(workerFrameSchema, free),
  );
  const submitters = said(
    [...soundSubmissions, { type: 'watch', task_ids: [...ids] }],
    fitting(submitterFrameSchema, free),
  );
  const greeted = fc
    .tuple(fc.boolean(), fc.array(workers, { maxLength: 8 }))
    .map(([greets, says]) => [...(greets ? [JSON.stringify(hello)] : []), ...says]);
  return fc.oneof(
    fc.record({
      path: fc.constant('/v1/worker' as const),
      scope: fc.constantFrom<Scope>('volunteer', 'work'),
      says: greeted,
    }),
    fc.record({
      path: fc.constant('/v1/submit' as const),
      scope: fc.constant<Scope>('submit'),
      says: fc.array(submitters, { maxLength: 8 }),
    }),
    fc.record({
      path: fc.constant('/v1/events' as const),
      scope: fc.constant<Scope>('read'),
      says: fc.array(fc.oneof(workers, submitters), { maxLength: 4 }),
    }),
  );
}

const theEnd = 'the-end';

/** Is answered after all that was said before. */
const lastWords: Record<Attack['path'], JsonObject | null> = {
  '/v1/worker': { type: 'outcomes', items: [], credits: 0 },
  '/v1/submit': { type: 'submit', request_id: theEnd, tasks: [{ task: 'ping', queue: 'mallorys' }] },
  '/v1/events': null,
};

/** Says it all. @returns everything that came back when all of it has been taken, or the socket was closed. */
async function carryOut(world: BrokerWorld, { path, scope, says }: Attack): Promise<string[]> {
  const socket = await world.connect(path, principal('mallory', scope));
  const heard: string[] = [];
  let task: string = unknown;
  socket.socket.addEventListener('message', ({ data }) => {
    task = /"task_id":"([^"]+)","attempt"/.exec(data as string)?.[1] ?? task;
  });
  const isOpen = (): boolean => socket.socket.readyState === WebSocket.OPEN;
  for (const one of says) {
    if (!isOpen()) break;
    // Heartbeats are answered by the runtime.
    if (typeof one === 'string' && one !== heartbeat.ping) socket.sayText(one.replaceAll(given, task));
    else socket.socket.send(one);
    await Promise.race([socket.closed, scheduler.wait(0)]);
  }
  const last = lastWords[path];
  if (last !== null && isOpen()) {
    socket.sayText(JSON.stringify(last));
    const isEnd = (text: string): boolean => text.includes(theEnd) || text.includes('{"type":"ack","items":[]');
    const end = await Promise.race([socket.closed, socket.text(isEnd)]);
    if (typeof end === 'string') heard.push(end);
  }
  if (isOpen()) socket.socket.close(1000, 'over');
  return [...socket.drainTexts(), ...heard];
}

interface Heard {
  type: string;
  error?: { code: string; message: string } | null;
  tasks?: { task_id: string }[];
}

function framesIn(messages: readonly string[]): Heard[] {
  const texts = messages.filter((text) => text !== heartbeat.pong);
  return texts.flatMap((text) => framesOf(JSON.parse(text))) as Heard[];
}

/** Errors are of the closed list, and none is a defect of ours. */
function checkErrors(frames: readonly Heard[]): void {
  for (const { error } of frames) {
    if (error === undefined || error === null) continue;
    expect(isErrorCode(error.code), error.code).toBe(true);
    expect(error.code).not.toBe('internal');
    expect(error.message.length).toBeGreaterThan(3);
  }
}

/** Tasks of which a submitter was told that they are stored. */
function storedTasks(frames: readonly Heard[]): string[] {
  return frames.flatMap(({ type, tasks = [] }) => (type === 'submitted' ? tasks.map(({ task_id: id }) => id) : []));
}

describe('whatever is said on a socket', () => {
  it('is taken or refused by name, tells and moves nothing of others, and leaves the shard at work', async () => {
    const world = await BrokerWorld.create();
    const neighbour = principal('neighbour', 'submit', 'read');
    const theirTask = (): NewTask =>
      world.task(
        {
          kwargs: { candidates: [[1, 2]], evaluator: { kind: 'named', name: secret } },
          labels: [secret],
          queue: 'theirs',
        },
        { owner: 'neighbour' },
      );
    const theirs = (await ok(world.api.submit(neighbour, [theirTask(), theirTask()]))).map(({ task_id: id }) => id);
    const worker = await world.worker({
      queues: ['theirs'],
      credits: 1,
      capabilities: { ...helloFrame().capabilities, evaluators: [secret] },
    });
    const running = { task_id: (await worker.task()).task_id, attempt: 1 };
    worker.say({ type: 'started', items: [running] });
    await worker.settled();
    const view = (): Promise<TaskView[]> => Promise.all(theirs.map((id) => ok(world.api.get(neighbour, id))));
    const before = await view();
    expect(JSON.stringify(before)).toContain(secret);

    const stored = new Set<string>();
    await fc.assert(
      fc.asyncProperty(attacks(theirs), async (attack) => {
        logged.mockClear();
        taken.mockClear();
        if (attack.path === '/v1/worker')
          await ok(world.api.submit(mallory, [world.task({}, { owner: 'mallory-too' })]));
        const heard = await carryOut(world, attack);
        expect(heard.join()).not.toContain(secret);
        const frames = framesIn(heard);
        checkErrors(frames);
        for (const id of storedTasks(frames)) stored.add(id);
        expect(logged.mock.calls).toEqual([]);
        expect(taken.mock.settledResults.filter(({ type }) => type === 'rejected')).toEqual([]);
      }),
      { seed, numRuns: Math.ceil(runs / 8) },
    );

    expect(await view()).toEqual(before);
    // What was refused has left no task.
    expect(await world.rows(`SELECT count(*) AS tasks FROM tasks WHERE owner = 'mallory'`)).toEqual([
      { tasks: stored.size },
    ]);
    expect(stored.size).toBeGreaterThan(0);
    worker.say({ type: 'outcomes', items: [{ ...running, outcome: success(secret), runtime_ms: 1 }], credits: 1 });
    expect(await worker.ack()).toMatchObject([{ status: 'recorded' }]);
    expect(await ok(world.api.get(neighbour, running.task_id))).toMatchObject({ state: 'SUCCESS', result: secret });
    expect(theirs).toContain((await worker.task()).task_id);
  });
});
