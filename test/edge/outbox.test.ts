import { describe, expect, it, vi } from 'vitest';
import type { CampaignId, Json, TaskId } from '#protocol';
import type { FromBroker, NewTask, TaskProgress, ToBroker } from '../../edge/broker/rpc.ts';
import type { Envelope, ObjectAddress } from '../../edge/lib/outbox.ts';
import { receive } from '../../edge/lib/outbox.ts';
import { SqlOutboxStore } from '../../edge/lib/outbox-store.ts';
import { Database } from '../../edge/lib/sql.ts';
import { alice, BrokerWorld, failure, ok, success } from './helpers/broker.ts';

const campaign: ObjectAddress = { object: 'campaign', name: 'c-test' };
const parent = { campaign_id: 'c-00000000000000000000000000' as CampaignId };

/** An object behind tasks, as the broker sees it. */
class Parent {
  readonly heard: FromBroker[] = [];
  readonly progress: TaskProgress[] = [];
  #applied = 0;
  #seq = 0;
  /** What becomes of the next deliveries to it. */
  fates: ('lost' | 'answer lost')[] = [];
  readonly world: BrokerWorld;

  constructor(world: BrokerWorld) {
    this.world = world;
  }

  /** Puts itself between the broker and the real object. */
  async listen(): Promise<void> {
    await this.world.inside((broker) => {
      broker.broking.core.reach = {
        ...broker.broking.core.reach,
        carry: async (target, messages) => {
          expect(target).toEqual(campaign);
          const fate = this.fates.shift();
          if (fate === 'lost') throw new Error('lost on the way');
          const sender: ObjectAddress = { object: 'broker', name: 'b' };
          const store = {
            received: () => this.#applied,
            setReceived: (_: string, seq: number) => (this.#applied = seq),
          };
          const applied = receive(store, sender, messages, (body) => {
            this.heard.push(body as unknown as FromBroker);
          });
          if (fate === 'answer lost') throw new Error('the answer was lost');
          return applied;
        },
        tellProgress: async (_, items) => {
          this.progress.push(...items);
        },
      };
    });
  }

  envelope(message: ToBroker): Envelope {
    return { seq: ++this.#seq, body: JSON.parse(JSON.stringify(message)) as Json };
  }

  /** Delivers a message as an outbox does. */
  async say(message: ToBroker): Promise<number> {
    return ok(this.world.api.deliver(campaign, [this.envelope(message)]));
  }

  task(number: number, more: Partial<NewTask> = {}): NewTask {
    const id = `${this.world.shard}-${String(number).padStart(26, '0')}` as TaskId;
    return { ...this.world.task({}, { taskId: id, notify: campaign, ref: `ref-${number}`, parent }), ...more };
  }

  finished() {
    return this.heard.flatMap((message) => (message.type === 'finished' ? message.items : []));
  }
}

async function setup() {
  const world = await BrokerWorld.create();
  const parent = new Parent(world);
  await parent.listen();
  return { world, parent };
}

describe('messages to the broker', () => {
  it('submit tasks once, however often they come, and in order only', async () => {
    const { world, parent } = await setup();
    const first = parent.envelope({ type: 'submit', tasks: [parent.task(1), parent.task(2)] });
    const second = parent.envelope({ type: 'submit', tasks: [parent.task(3)] });
    expect(await ok(world.api.deliver(campaign, [second]))).toBe(0);
    expect(await ok(world.api.deliver(campaign, [first]))).toBe(1);
    expect(await ok(world.api.deliver(campaign, [second, first, second]))).toBe(2);
    expect(await ok(world.api.deliver(campaign, [first, second]))).toBe(2);
    expect(await world.rows('SELECT id FROM tasks')).toHaveLength(3);
  });

  it('leave a task alone that exists already', async () => {
    const { world, parent } = await setup();
    await parent.say({ type: 'submit', tasks: [parent.task(1)] });
    await parent.say({ type: 'submit', tasks: [parent.task(1, { priority: 9 }), parent.task(2)] });
    const rows = await world.rows('SELECT priority FROM tasks ORDER BY id');
    expect(rows).toEqual([{ priority: 5 }, { priority: 5 }]);
  });

  it('revoke tasks, and pass over those that are gone', async () => {
    const { world, parent } = await setup();
    const [one, other] = [parent.task(1), parent.task(2)];
    await parent.say({ type: 'submit', tasks: [one] });
    expect(await parent.say({ type: 'revoke', task_ids: [one.task_id!, other.task_id!] })).toBe(2);
    expect(await world.state(one.task_id!)).toBe('REVOKED');
  });

  it('are logged and passed over when nobody knows them', async () => {
    const { parent } = await setup();
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    expect(await parent.say({ type: 'nonsense' } as never)).toBe(1);
    expect(logged.mock.calls[0]?.[0]).toContain('nonsense');
  });

  it('bring the sender’s own events to its owner’s listeners', async () => {
    const { world, parent: sender } = await setup();
    const listener = await world.connect(`/v1/events?campaign_id=${parent.campaign_id}`);
    const item = { type: 'campaign-iteration' as const, time_ms: 0, ...parent, data: { iteration: 1 } };
    await sender.say({ type: 'events', owner: 'alice', items: [item] });
    expect(await listener.event('campaign-iteration')).toMatchObject({
      time: '1970-01-01T00:00:00.000Z',
      data: { iteration: 1 },
      ...parent,
    });
  });
});

describe('a held task', () => {
  const held = { held: true, task: 'run_campaign', needs: ['run_campaign'] };

  it('is running from the start, no worker gets it, and its object ends it', async () => {
    const { world, parent } = await setup();
    const worker = await world.worker({ credits: 5 });
    const task = parent.task(1, held);
    await parent.say({ type: 'submit', tasks: [task] });
    expect(await world.state(task.task_id!)).toBe('STARTED');
    await parent.say({ type: 'progress', task_id: task.task_id!, progress: { fraction: 0.25 } });
    expect((await world.get(task.task_id!)).progress).toEqual({ fraction: 0.25 });
    const waiting = ok(world.api.wait(alice, task.task_id!, 30));
    await parent.say({ type: 'finish', task_id: task.task_id!, outcome: success({ best: 1 }) });
    expect(await waiting).toMatchObject({ state: 'SUCCESS', result: { best: 1 } });
    await parent.say({ type: 'finish', task_id: task.task_id!, outcome: failure() });
    expect(await world.state(task.task_id!)).toBe('SUCCESS');
    await worker.settled();
    expect(worker.unread()).toEqual([]);
  });

  it('ends at once when somebody revokes it, and its object is told', async () => {
    const { world, parent } = await setup();
    const task = parent.task(1, held);
    await parent.say({ type: 'submit', tasks: [task] });
    expect(await ok(world.api.revoke(alice, task.task_id!, false))).toMatchObject({ state: 'REVOKED' });
    await world.inside((broker) => broker.broking.core.outbox.flush());
    expect(parent.heard).toMatchObject([
      { type: 'revoked', task_id: task.task_id, terminate: false },
      { type: 'finished', items: [{ ref: 'ref-1', state: 'REVOKED' }] },
    ]);
  });
});

describe('the object behind a task', () => {
  it('is told once of each end, in batches, though the way loses calls and answers and the broker is unmade', async () => {
    const { world, parent } = await setup();
    const worker = await world.worker({ credits: 10 });
    parent.fates = ['lost', 'answer lost', 'lost'];
    await parent.say({ type: 'submit', tasks: [1, 2, 3, 4].map((number) => parent.task(number)) });
    const { items } = await worker.next('tasks');
    const report = ({ task_id, attempt }: (typeof items)[number]) => ({
      task_id,
      attempt,
      outcome: success(task_id),
      runtime_ms: 1,
    });
    worker.say({ type: 'outcomes', items: items.slice(0, 3).map(report), credits: 0 });
    await worker.ack();
    await world.hibernate();
    await parent.listen();
    worker.say({ type: 'outcomes', items: items.slice(3).map(report), credits: 0 });
    await worker.ack();
    while (parent.finished().length < 4) await world.advance(1_000);
    await world.advance(60_000);
    await world.inside((broker) => broker.broking.core.outbox.flush());
    expect(parent.finished().map(({ ref, state }) => `${ref} ${state}`)).toEqual(
      [1, 2, 3, 4].map((number) => `ref-${number} SUCCESS`),
    );
    expect(parent.heard[0]).toMatchObject({ type: 'finished', items: [{}, {}, {}] });
    expect(await world.rows('SELECT * FROM outbox')).toEqual([]);
  });

  it('hears of progress as well as it goes', async () => {
    const { world, parent } = await setup();
    const worker = await world.worker({ credits: 1 });
    const task = parent.task(1);
    await parent.say({ type: 'submit', tasks: [task] });
    await worker.task();
    worker.say({ type: 'progress', items: [{ task_id: task.task_id!, attempt: 1, progress: { fraction: 0.5 } }] });
    await worker.settled();
    const listener = await world.connect('/v1/events?types=task-progress');
    await world.inside(() => world.clock.advance(600));
    await listener.event('task-progress');
    expect(parent.progress).toEqual([{ task_id: task.task_id, ref: 'ref-1', progress: { fraction: 0.5 } }]);
  });
});

describe('the outbox in SQL', () => {
  it('numbers on, keeps what is not acknowledged, and remembers its senders', async () => {
    const { world } = await setup();
    const seen = await world.inside((_, state) => {
      const store = new SqlOutboxStore(new Database(state.storage));
      const found: unknown[] = [];
      for (let n = 0; n < 5; n++) store.append('a', JSON.stringify({ n }));
      store.append('b', '1');
      found.push(store.targets().sort(), store.head('a', 3), store.head('a', 99), store.head('none', 9));
      store.acknowledge('a', 3);
      found.push(store.head('a', 99));
      store.acknowledge('a', 5);
      found.push(store.targets(), store.head('a', 9));
      store.append('a', '"next"');
      found.push(store.head('a', 9), store.received('x'));
      store.setReceived('x', 7);
      return [...found, store.received('x')];
    });
    const messages = (...seqs: number[]) => seqs.map((seq) => ({ seq, body: { n: seq - 1 } }));
    expect(seen).toEqual([
      ['a', 'b'],
      messages(1, 2, 3),
      messages(1, 2, 3, 4, 5),
      [],
      messages(4, 5),
      ['b'],
      [],
      [{ seq: 6, body: 'next' }],
      0,
      7,
    ]);
  });

  it('carries a bounded amount at once, and at least one message', async () => {
    const { world } = await setup();
    const counts = await world.inside((_, state) => {
      const store = new SqlOutboxStore(new Database(state.storage));
      const long = JSON.stringify('x'.repeat(1_500_000));
      for (let n = 0; n < 4; n++) store.append('a', long);
      return store.head('a', 99).length;
    });
    expect(counts).toBe(2);
  });
});
