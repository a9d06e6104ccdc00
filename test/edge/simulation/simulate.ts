import type { Assignment, AttemptRef, Outcome, Principal, Signature, Submitted, TaskId } from '#protocol';
import type { FinishedTask, FromBroker, NewTask } from '../../../edge/broker/rpc.ts';
import { receive, type Envelope, type ObjectAddress } from '../../../edge/lib/outbox.ts';
import { prepare } from '../../../edge/tasks/prepare.ts';
import { checkRest, Invariants, limitedTask, must, Violation, type Row } from './invariants.ts';
import { SimulatedObject } from './object.ts';
import { SeededRandom } from './random.ts';
import { Timeline } from './timeline.ts';
import { Wire, type Weather } from './wire.ts';
import { SimulatedWorker } from './worker.ts';

const client: Principal = { sub: 'alice', scope: ['submit', 'read', 'work'] };
const parent: ObjectAddress = { object: 'campaign', name: 'c' };
const self: ObjectAddress = { object: 'broker', name: 'broker-0' };

/** How long things go wrong, and how long they have to come to rest afterwards. */
const faultsMs = 15_000;
const restMs = 240_000;

export interface Schedule {
  readonly seed: number;
  /** What happened, for whoever wants to read it. */
  readonly trace: string[];
  readonly steps: number;
  readonly tasks: number;
}

/**
 * One schedule: workers, a client and a parent work with the broker while everything goes wrong that may, all drawn from the seed; then
 * the faults stop, and all must come to rest.
 * @throws Error with the seed and what does not hold
 */
export async function simulate(storage: DurableObjectStorage, seed: number, traces = false): Promise<Schedule> {
  const world = new World(storage, seed, traces);
  try {
    await world.run();
  } catch (error) {
    const what = error instanceof Error ? (error instanceof Violation ? error.message : error.stack) : String(error);
    const story = traces ? world.trace.join('\n') : `replay it: npm run simulate -- --seed ${seed} --trace`;
    throw new Error(`seed ${seed}, step ${world.steps}: ${what}\n${story}`, { cause: error });
  }
  return { seed, trace: world.trace, steps: world.steps, tasks: world.submitted.size };
}

class World {
  readonly trace: string[] = [];
  readonly submitted = new Set<TaskId>();
  steps = 0;
  readonly #random: SeededRandom;
  readonly #timeline: Timeline;
  readonly #storage: DurableObjectStorage;
  readonly #object: SimulatedObject;
  readonly #invariants = new Invariants();
  readonly #weather: Weather;
  readonly #traces: boolean;
  readonly #workers: SimulatedWorker[] = [];
  /** By idempotency key: what it was answered. */
  readonly #answers = new Map<string, string>();
  /** What workers were told that counts. */
  readonly #recorded = new Map<string, string>();
  readonly #noticed = new Map<TaskId, FinishedTask>();
  #applied = 0;
  #isFaulty = true;
  /** What was written when the invariants were checked last. */
  #written = '';
  #made = 0;

  constructor(storage: DurableObjectStorage, seed: number, traces: boolean) {
    this.#storage = storage;
    this.#traces = traces;
    this.#random = new SeededRandom(seed);
    this.#timeline = new Timeline(this.#random);
    const isRough = this.#random.chance(0.5);
    this.#weather = {
      latencyMs: this.#random.pick([0, 20, 300]) ?? 0,
      duplicate: isRough ? 0.05 : 0,
      overtake: isRough ? 0.05 : 0,
    };
    this.#object = new SimulatedObject({
      timeline: this.#timeline,
      storage,
      carry: (_, messages) => this.#carry(messages),
      runAtEdge: (assignment) => this.#runAtEdge(assignment),
      commitFailure: this.#random.chance(0.3) ? 0.03 : 0,
    });
  }

  async run(): Promise<void> {
    const random = this.#random;
    if (random.chance(0.3)) await this.#limitRate();
    const endMs = this.#timeline.nowMs + faultsMs;
    for (let n = random.int(1, 4); n > 0; n--) this.#addWorker();
    for (let n = random.int(3, 14); n > 0; n--) this.#plan(random.int(0, faultsMs * 0.7), () => this.#submit());
    for (let n = random.int(0, 4); n > 0; n--) this.#plan(random.int(0, faultsMs), () => this.#revoke());
    for (let n = random.int(0, 10); n > 0; n--) this.#plan(random.int(0, faultsMs), () => this.#disturb());
    while (this.#timeline.nowMs < endMs) await this.#step(endMs);
    this.#isFaulty = false;
    this.#say('the faults stop');
    if (this.#workers.every((worker) => worker.isOver)) this.#addWorker();
    this.#addWorker();
    const restBy = this.#timeline.nowMs + restMs;
    while (this.#timeline.nowMs < restBy && !this.#isAtRest()) await this.#step(restBy);
    const rows = this.#rows();
    checkRest(this.#object.core, rows, [...this.submitted]);
    this.#checkResults(rows);
    this.#checkNotices(rows);
  }

  async #step(untilMs: number): Promise<void> {
    if (!(await this.#timeline.step(untilMs))) return;
    this.steps++;
    const { core } = this.#object;
    const written = `${core.database.rowsWritten} ${core.leases.size}`;
    // Most steps are heartbeats and timers.
    if (written === this.#written) return;
    this.#written = written;
    this.#invariants.check(core, this.#rows());
  }

  async #limitRate(): Promise<void> {
    const patched = this.#object.broking.flow.patchTaskType(limitedTask, { rate_limit: '3/s' });
    await this.#timeline.step(this.#timeline.nowMs);
    await patched.catch(() => undefined);
  }

  #plan(ms: number, run: () => void): void {
    this.#timeline.after(ms, run);
  }

  #say(what: string): void {
    if (this.#traces) this.trace.push(`${String(this.#timeline.nowMs - 1_700_000_000_000).padStart(7)} ms  ${what}`);
  }

  #rows(): Row[] {
    return this.#storage.sql.exec<Row>('SELECT id, lane, state, attempt, outcome FROM tasks ORDER BY id').toArray();
  }

  #isAtRest(): boolean {
    const open = this.#storage.sql
      .exec<{ open: number }>(
        'SELECT (SELECT count(*) FROM tasks WHERE finished_ms IS NULL) + (SELECT count(*) FROM outbox) AS open',
      )
      .one();
    return open.open === 0;
  }

  #addWorker(): void {
    const name = `w${this.#workers.length}`;
    this.#say(`${name} comes`);
    this.#workers.push(
      new SimulatedWorker({
        timeline: this.#timeline,
        name,
        concurrency: this.#random.int(1, 3),
        prefetch: this.#random.int(1, 2),
        connect: (worker) => {
          const wire: Wire = new Wire(this.#timeline, this.#weather, {
            edgeHears: (socket, text) => {
              this.#say(`${name} → ${text}`);
              this.#object.hear(socket, text);
            },
            edgeHearsClose: (socket) => this.#object.hearClose(socket),
            workerHears: (text) => {
              this.#say(`${name} ← ${text}`);
              worker.hear(text);
            },
            workerHearsClose: () => worker.lost(wire),
          });
          this.#object.accept(wire.socket, client);
          return wire;
        },
        compute: (worker, assignment) => this.#compute(worker, assignment),
        acknowledged: (worker, ref, status) => this.#acknowledged(worker, ref, status),
      }),
    );
  }

  #compute(worker: string, { task_id: id, attempt }: Assignment): { outcome: Outcome; takesMs: number } {
    const takesMs = this.#random.chance(0.1) ? this.#random.int(3_000, 9_000) : this.#random.int(0, 800);
    if (this.#isFaulty && this.#random.chance(0.2)) {
      const error = { type: 'task_failed', message: 'it broke' } as const;
      return { outcome: { type: 'failure', retryable: this.#random.chance(0.8), error }, takesMs };
    }
    if (this.#isFaulty && this.#random.chance(0.05)) {
      return { outcome: { type: 'released', reason: 'not now' }, takesMs };
    }
    return { outcome: { type: 'success', result: { by: worker, id, attempt } }, takesMs };
  }

  #acknowledged(worker: string, { task_id: id, attempt }: AttemptRef, status: 'recorded' | 'lease_lost'): void {
    if (status === 'recorded') this.#recorded.set(`${id}/${attempt}`, worker);
  }

  async #runAtEdge({ task_id: id, attempt }: Assignment): Promise<Outcome> {
    const fate = this.#random.next();
    await new Promise<void>((resolve) => this.#timeline.after(this.#random.int(0, 300), resolve));
    if (this.#isFaulty && fate < 0.1) throw new Error('the Worker was ended');
    if (this.#isFaulty && fate < 0.2) return new Promise<Outcome>(() => undefined);
    return { type: 'success', result: { by: 'edge', id, attempt } };
  }

  #submit(): void {
    const key = this.#random.chance(0.5) ? `key${this.#random.int(0, 3)}` : null;
    const count = this.#random.int(1, 3);
    const tasks = key === null ? this.#tasks(count) : this.#keyed(key);
    const request = key === null ? undefined : { key, bodyDigest: key };
    this.#say(`submit ${tasks.length} ${key ?? ''}`);
    void this.#object.broking.submit(client, tasks, request).then(
      (submitted) => this.#accepted(key, submitted),
      (error: unknown) => this.#say(`refused: ${String(error)}`),
    );
  }

  #accepted(key: string | null, submitted: readonly Submitted[]): void {
    const ids = submitted.map((one) => one.task_id);
    this.#say(`accepted ${ids.join(' ')}`);
    for (const id of ids) this.submitted.add(id);
    if (key === null) return;
    const text = ids.join(' ');
    must((this.#answers.get(key) ?? text) === text, `${key} was answered ${this.#answers.get(key)} and ${text}`);
    this.#answers.set(key, text);
  }

  #tasks(count: number): NewTask[] {
    return Array.from({ length: count }, () => this.#task());
  }

  /** The same for the same key: a repeat. */
  #keyed(key: string): NewTask[] {
    return [this.#prepare({ ...evaluation, labels: [key] })];
  }

  #task(): NewTask {
    const int = (from: number, to: number): number => this.#random.int(from, to);
    const chance = (probability: number): boolean => this.#random.chance(probability);
    const signature: Signature = chance(0.25)
      ? { task: 'ping', kwargs: {} }
      : {
          ...evaluation,
          max_retries: int(0, 3),
          ...(chance(0.2) ? { time_limit: 2, soft_time_limit: 2 } : {}),
        };
    return this.#prepare(
      {
        ...signature,
        priority: int(0, 9),
        queue: chance(0.2) ? 'other' : 'default',
        ...(chance(0.2) ? { countdown: int(1, 5) } : chance(0.1) ? { expires: int(1, 3) } : {}),
        ...(chance(0.2) ? { concurrency_key: `c${int(0, 1)}` } : {}),
        ...(chance(0.1) ? { retry_backoff: false } : {}),
      },
      chance(0.4),
    );
  }

  #prepare(signature: Signature, isNoticed = false): NewTask {
    return prepare(signature, {
      owner: client.sub,
      nowMs: this.#timeline.nowMs,
      config: this.#object.core.config,
      ...(isNoticed ? { notify: parent, ref: `r${this.#made++}` } : {}),
    });
  }

  #revoke(): void {
    const id = this.#random.pick([...this.submitted]);
    if (id === undefined) return;
    const terminate = this.#random.chance(0.5);
    this.#say(`revoke ${id} ${terminate ? 'and stop it' : ''}`);
    this.#object.broking.revoke(client, id, terminate).catch(() => undefined);
  }

  /** Something goes wrong. */
  #disturb(): void {
    const worker = this.#random.pick(this.#workers);
    if (worker === undefined) return;
    const faults: Record<string, () => void> = {
      'a worker is killed, and another comes': () => {
        worker.die();
        this.#addWorker();
      },
      'a worker leaves in good order, and another comes': () => {
        worker.drain();
        this.#addWorker();
      },
      'a worker freezes': () => worker.freeze(this.#random.int(100, 8_000)),
      'a connection is cut': () => worker.cut(),
      'the object forgets': () => this.#object.rebuild(),
      'the object crashes': () => this.#object.crash(false),
      'the edge restarts': () => this.#object.crash(true),
    };
    const [name, fault] = this.#random.pick(Object.entries(faults))!;
    this.#say(name);
    fault();
  }

  /** The parent’s side of the outbox, on a bad way. */
  #carry(messages: readonly Envelope[]): Promise<number> {
    const fate = this.#random.next();
    if (this.#isFaulty && fate < 0.2) return Promise.reject(new Error('lost on the way'));
    const store = {
      received: () => this.#applied,
      setReceived: (_: string, seq: number) => (this.#applied = seq),
    };
    const apply = (): number => receive(store, self, messages, (body) => this.#notice(body as unknown as FromBroker));
    const applied = apply();
    if (this.#random.chance(0.2)) apply();
    if (this.#isFaulty && fate < 0.4) return Promise.reject(new Error('the answer was lost'));
    return Promise.resolve(applied);
  }

  #notice(message: FromBroker): void {
    if (message.type !== 'finished') return;
    for (const item of message.items) {
      must(!this.#noticed.has(item.task_id), `the end of ${item.task_id} was told twice`);
      this.#noticed.set(item.task_id, item);
    }
  }

  /** A result is the one that its attempt reported, and what a worker was told to count does. */
  #checkResults(rows: readonly Row[]): void {
    const byId = new Map(rows.map((row) => [row.id, row]));
    for (const { id, state, attempt, outcome } of rows) {
      if (state !== 'SUCCESS') continue;
      const { result } = JSON.parse(outcome ?? 'null') as { result: { id: string; attempt: number } };
      must(result.id === id && result.attempt === attempt, `${id} ended in attempt ${attempt} with ${outcome}`);
    }
    for (const key of this.#recorded.keys()) {
      const id = key.slice(0, key.indexOf('/'));
      must(byId.has(id), `the outcome of ${key} was recorded, and its task is gone`);
    }
  }

  #checkNotices(rows: readonly Row[]): void {
    const wanted = this.#storage.sql
      .exec<{ id: string }>(
        `SELECT id FROM tasks WHERE coalesce((SELECT text FROM specs WHERE CAST(specs.id AS TEXT) = tasks.spec), tasks.spec) LIKE '%"notify"%'`,
      )
      .toArray();
    const byId = new Map(rows.map((row) => [row.id, row.state]));
    for (const { id } of wanted) {
      const told = this.#noticed.get(id as TaskId);
      must(told?.state === byId.get(id), `${id} is ${byId.get(id)}, and its parent was told ${told?.state}`);
    }
    must(this.#noticed.size === wanted.length, `${this.#noticed.size} ends were told, of ${wanted.length}`);
  }
}

const evaluation: Signature = {
  task: 'evaluate_candidates',
  kwargs: { candidates: [[1]], evaluator: { kind: 'named', name: 'sim' } },
};
