import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { onTestFinished } from 'vitest';
import type { EdgeFrame, GridEvent, Principal, Scope, Signature, TaskId, WorkerFrame, WorkerId } from '#protocol';
import type { Broker } from '../../../edge/broker/broker.ts';
import { Broking } from '../../../edge/broker/broking.ts';
import { brokerShard, principalHeader, type BrokerApi, type NewTask } from '../../../edge/broker/rpc.ts';
import type { Env } from '../../../edge/env.ts';
import { unwrap, type Reply } from '../../../edge/lib/rpc.ts';
import { prepare, type PrepareContext } from '../../../edge/tasks/prepare.ts';
import { FakeClock } from './clock.ts';
import { evictAll } from './evict.ts';

const testEnv = env as unknown as Env;
let lastShard = Math.floor(Math.random() * 4000);

export function principal(sub = 'alice', ...scope: Scope[]): Principal {
  return { sub, scope: scope.length === 0 ? ['submit', 'read', 'work'] : scope };
}

export const alice = principal();
export const bob = principal('bob');

export const digestA = 'a'.repeat(64);
export const digestB = 'b'.repeat(64);

/** A shard of its own, with a clock that the test holds. */
export class BrokerWorld {
  readonly shard = ++lastShard;
  clock = new FakeClock();
  readonly #sockets: TestSocket[] = [];

  static async create(): Promise<BrokerWorld> {
    const world = new BrokerWorld();
    await world.takeClock();
    // A real alarm that fires after the last test would find nobody there.
    onTestFinished(() => world.inside((_, state) => state.storage.deleteAlarm()));
    return world;
  }

  get stub(): DurableObjectStub<Broker> {
    const namespace = testEnv.BROKER;
    return namespace.get(namespace.idFromName(`broker-${this.shard}`));
  }

  get api(): BrokerApi & Fetcher {
    return brokerShard(testEnv, this.shard);
  }

  inside<T>(run: (broker: Broker, state: DurableObjectState) => T | Promise<T>): Promise<T> {
    return runInDurableObject(this.stub, run);
  }

  /** Gives the present instance the test’s clock. */
  async takeClock(): Promise<void> {
    await this.inside((broker) => {
      broker.clock.source = this.clock;
    });
  }

  /** Unmakes the object’s memory and cuts its sockets, as a crash does; storage stays. */
  async evict(): Promise<void> {
    await evictAll();
    this.clock.dropTimers();
    await this.takeClock();
  }

  /** Unmakes the object’s memory only, as hibernation does: sockets stay. */
  async hibernate(): Promise<void> {
    await this.inside((broker, state) => {
      const { executor } = broker.broking;
      Object.assign(broker, { broking: new Broking(state, testEnv, broker.clock, executor) });
    });
  }

  /** As `evict`, by a process of its own. */
  async restart(): Promise<void> {
    await this.inside((_, state) => {
      state.storage.sql.exec(`UPDATE meta SET value = 'another' WHERE name = 'process'`);
    });
    await this.evict();
  }

  /** Lets time pass and does what falls due. */
  async advance(ms: number): Promise<void> {
    await this.inside(async (broker) => {
      this.clock.advance(ms);
      await broker.broking.alarm();
    });
  }

  /** Runs the runtime’s alarm, if one is set. */
  alarm(): Promise<boolean> {
    return runDurableObjectAlarm(this.stub);
  }

  task(signature: Partial<Signature> = {}, context: Partial<PrepareContext> = {}): NewTask {
    return prepare(
      {
        task: 'evaluate_candidates',
        kwargs: { candidates: [[1, 2]], evaluator: { kind: 'named', name: 'sim' } },
        ...signature,
      },
      { owner: 'alice', nowMs: this.clock.now(), ...context },
    );
  }

  async submit(...tasks: NewTask[]): Promise<TaskId[]> {
    const submitted = await ok(this.api.submit(alice, tasks));
    return submitted.map((one) => one.task_id);
  }

  async submitOne(signature: Partial<Signature> = {}): Promise<TaskId> {
    const [id] = await this.submit(this.task(signature));
    return id!;
  }

  async get(id: TaskId) {
    return ok(this.api.get(alice, id));
  }

  async state(id: TaskId): Promise<string> {
    return (await this.get(id)).state;
  }

  async connect(path = '/v1/worker', who: Principal = alice): Promise<TestSocket> {
    const response = await this.stub.fetch(`https://edge${path}`, {
      headers: { upgrade: 'websocket', [principalHeader]: JSON.stringify(who) },
    });
    if (response.webSocket === null) throw new Error(`no socket: ${response.status} ${await response.text()}`);
    const socket = new TestSocket(response.webSocket);
    this.#sockets.push(socket);
    return socket;
  }

  /** A worker that has been welcomed. */
  async worker(hello: Partial<Hello> = {}, who: Principal = alice): Promise<TestSocket> {
    const socket = await this.connect('/v1/worker', who);
    socket.say(helloFrame(hello));
    await socket.next('welcome');
    return socket;
  }

  /** Tables as they are, for comparing. */
  rows<Row extends Record<string, SqlStorageValue>>(query: string, ...values: SqlStorageValue[]): Promise<Row[]> {
    return this.inside((_, state) => state.storage.sql.exec<Row>(query, ...values).toArray());
  }
}

type Hello = Extract<WorkerFrame, { type: 'hello' }>;

export function helloFrame(hello: Partial<Hello> = {}): Hello {
  return {
    type: 'hello',
    protocol: 1,
    worker_id: 'w1' as WorkerId,
    name: 'w1@test',
    queues: ['default', 'low_priority'],
    concurrency: 1,
    capabilities: {
      runtime: 'node',
      cores: 1,
      gpu: false,
      tasks: ['evaluate_candidates', 'train_surrogate', 'compute_pareto_front'],
      evaluators: ['sim'],
    },
    kernel_digest: digestA,
    holding: [],
    credits: 0,
    ...hello,
  };
}

type FrameOf<Type extends EdgeFrame['type']> = Extract<EdgeFrame, { type: Type }>;

/** A text that was said and has not been taken yet. */
interface Said {
  readonly text: string;
  /** Set once it has arrived. */
  go: (() => void) | null;
}

/** What is under way on each socket, in the order in which it was said. */
const underWay = new Set<Said[]>();

// This version of the test pool may call handlers of one socket out of order, which the runtime itself never does
// (github.com/cloudflare/workers-sdk/pull/14061): what arrives too early waits here for what was said before it.
const take: Broking['take'] = Reflect.get(Broking.prototype, 'take');
Broking.prototype.take = async function (this: Broking, socket, message) {
  const queues = [...underWay];
  const isNext = (queue: Said[]): boolean => queue.find((said) => said.go === null)?.text === message;
  const queue =
    queues.find(isNext) ?? queues.find((each) => each.some(({ text, go }) => text === message && go === null));
  const said = queue?.find(({ text, go }) => text === message && go === null);
  if (queue === undefined || said === undefined) return take.call(this, socket, message);
  const turn = new Promise<void>((resolve) => (said.go = resolve));
  const taken = turn.then(() => take.call(this, socket, message));
  while (queue[0] !== undefined && queue[0].go !== null) queue.shift()?.go?.();
  return taken;
};

/** The far end of a socket: says frames, and waits for those that it wants. */
export class TestSocket {
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #underWay: Said[] = [];
  readonly #unread: string[] = [];
  readonly #wanted: { wants: (text: string) => boolean; resolve: (text: string) => void }[] = [];

  constructor(socket: WebSocket) {
    this.socket = socket;
    underWay.add(this.#underWay);
    socket.addEventListener('close', () => underWay.delete(this.#underWay));
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
    });
    socket.addEventListener('message', ({ data }) => this.#hear(data as string));
    socket.accept();
  }

  #hear(text: string): void {
    const index = this.#wanted.findIndex(({ wants }) => wants(text));
    const [waiter] = index < 0 ? [] : this.#wanted.splice(index, 1);
    if (waiter === undefined) this.#unread.push(text);
    else waiter.resolve(text);
  }

  say(frame: WorkerFrame): void {
    this.sayText(JSON.stringify(frame));
  }

  sayText(text: string): void {
    this.#underWay.push({ text, go: null });
    this.socket.send(text);
  }

  /** The next message that is wanted, as it came. */
  text(wants: (text: string) => boolean): Promise<string> {
    const index = this.#unread.findIndex(wants);
    if (index >= 0) return Promise.resolve(this.#unread.splice(index, 1)[0]!);
    return new Promise((resolve) => this.#wanted.push({ wants, resolve }));
  }

  /** The next frame of a type, whatever came between. */
  async next<Type extends EdgeFrame['type']>(type: Type): Promise<FrameOf<Type>> {
    const text = await this.text((candidate) => typeOf(candidate) === type);
    return JSON.parse(text) as FrameOf<Type>;
  }

  /** The next event of a type. */
  async event(type: GridEvent['type']): Promise<GridEvent> {
    return JSON.parse(await this.text((candidate) => typeOf(candidate) === type)) as GridEvent;
  }

  /** The next event, whatever it is. */
  async anyEvent(): Promise<GridEvent> {
    return JSON.parse(await this.text((candidate) => candidate.startsWith('{"seq"'))) as GridEvent;
  }

  /** Takes what came and nobody waited for. */
  drain(): EdgeFrame[] {
    return this.drainTexts().map((text) => JSON.parse(text) as EdgeFrame);
  }

  /** The same, as it came. */
  drainTexts(): string[] {
    return this.#unread.splice(0);
  }

  /** Answers when the edge has taken all that this worker said before: an empty report is acknowledged after it. */
  async settled(): Promise<void> {
    this.say({ type: 'outcomes', items: [], credits: 0 });
    await this.text((candidate) => candidate.startsWith('{"type":"ack","items":[]'));
  }

  async heartbeat(): Promise<void> {
    this.socket.send('ping');
    await this.text((candidate) => candidate === 'pong');
  }

  /** What came and nobody waited for. */
  unread(): unknown[] {
    return this.#unread.map((text) => JSON.parse(text) as unknown);
  }

  /** One task that the edge gives. */
  async task() {
    const { items } = await this.next('tasks');
    if (items.length !== 1) throw new Error(`expected one task, got ${items.length}`);
    return items[0]!;
  }

  async ack() {
    return (await this.next('ack')).items;
  }
}

function typeOf(text: string): string | undefined {
  return text.startsWith('{') ? (JSON.parse(text) as { type?: string }).type : undefined;
}

export async function ok<T>(pending: Promise<Reply<T>>): Promise<T> {
  return unwrap(await pending);
}

/** The code of the error that the call must answer with. */
export async function codeOf<T>(pending: Promise<Reply<T>>): Promise<string> {
  const reply = await pending;
  if ('ok' in reply) throw new Error(`expected an error, got ${JSON.stringify(reply.ok)}`);
  return reply.error.code;
}

export const success = (result: unknown = { values: [], failed: [] }) =>
  ({ type: 'success', result: result as never }) as const;

export const failure = (retryable = true) =>
  ({ type: 'failure', retryable, error: { type: 'task_failed', message: 'it broke' } }) as const;
