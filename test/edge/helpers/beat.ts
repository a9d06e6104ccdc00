import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { onTestFinished } from 'vitest';
import { scheduleSpecSchema, type ScheduleSpecInput, type ScheduleView, type TaskView } from '#protocol';
import type { Beat } from '../../../edge/beat/beat.ts';
import { beat, beatAddress, type BeatApi } from '../../../edge/beat/rpc.ts';
import { brokerAddress, brokerShard } from '../../../edge/broker/rpc.ts';
import type { Env } from '../../../edge/env.ts';
import { noPreconditions } from '../../../edge/files/preconditions.ts';
import type { Envelope } from '../../../edge/lib/outbox.ts';
import { alice, ok } from './broker.ts';
import { FakeClock } from './clock.ts';
import { evictAll } from './evict.ts';

const testEnv = env as unknown as Env;
let worlds = 0;

/** A task that nobody begins. */
export const idle = {
  task: 'evaluate_candidates',
  kwargs: { candidates: [[1, 2]], evaluator: { kind: 'named', name: 'sim' } },
};

/** The beat with a clock that the test holds, and names of the test’s own. */
export class BeatWorld {
  readonly clock = new FakeClock(Math.ceil(Date.now() / 1000) * 1000);
  /** A prefix of names. */
  readonly prefix = `w${++worlds}-`;

  static async create(): Promise<BeatWorld> {
    const world = new BeatWorld();
    await world.inside(async (_, state) => {
      state.storage.sql.exec('DELETE FROM schedules; DELETE FROM alarms');
      await state.storage.deleteAlarm();
    });
    await world.evict();
    // A real alarm that fires after the last test would find nobody there.
    onTestFinished(() => world.inside((_, state) => state.storage.deleteAlarm()));
    return world;
  }

  get stub(): DurableObjectStub<Beat> {
    return testEnv.BEAT.get(testEnv.BEAT.idFromName(beatAddress.name));
  }

  get api(): BeatApi {
    return beat(testEnv);
  }

  inside<T>(run: (beat: Beat, state: DurableObjectState) => T | Promise<T>): Promise<T> {
    return runInDurableObject(this.stub, run);
  }

  async takeClock(): Promise<void> {
    await this.inside((object) => {
      object.clock.source = this.clock;
    });
  }

  /** Unmakes every object’s memory, as a crash does; storage stays. */
  async evict(): Promise<void> {
    await evictAll();
    await this.takeClock();
  }

  async put(name: string, spec: Partial<ScheduleSpecInput> = {}, owner = 'alice'): Promise<ScheduleView> {
    const full = scheduleSpecSchema.parse({ schedule: { every: 60 }, signature: idle, ...spec });
    return (await ok(this.api.put(owner, this.prefix + name, full, noPreconditions))).schedule;
  }

  async view(name: string): Promise<ScheduleView> {
    return (await ok(this.api.find('alice', this.prefix + name))).schedule;
  }

  pass(seconds: number): Promise<void> {
    return this.inside(() => this.clock.advance(seconds * 1000));
  }

  /** Runs the runtime’s alarm. @returns false when none is set. */
  alarm(): Promise<boolean> {
    return runDurableObjectAlarm(this.stub);
  }

  /** What the alarm does, right after an eviction too, when the object is just about to set it. */
  ring(): Promise<void> {
    return this.inside(({ engine }) => engine.alarm());
  }

  /** Lets time pass and the alarm ring. */
  async advance(seconds: number): Promise<void> {
    await this.pass(seconds);
    await this.alarm();
  }

  /** What lies in the outbox. */
  waiting(): Promise<Envelope[]> {
    return this.inside((_, state) =>
      state.storage.sql
        .exec<{ seq: number; body: string }>('SELECT seq, body FROM outbox ORDER BY seq')
        .toArray()
        .map(({ seq, body }) => ({ seq, body: JSON.parse(body) as Envelope['body'] })),
    );
  }

  /** Waits until the beat has brought everything to the Broker, by itself. */
  async delivered(): Promise<void> {
    while ((await this.waiting()).length > 0);
  }

  /** Makes the present instance send nothing. */
  async mute(): Promise<void> {
    await this.inside(({ engine }) => {
      engine.outbox.flush = () => Promise.resolve();
    });
  }

  /** Brings what waits to the Broker, without telling the beat that it arrived. */
  async deliverUnacknowledged(): Promise<void> {
    const shard = testEnv.BROKER.get(testEnv.BROKER.idFromName(brokerAddress(0).name));
    const messages = await this.waiting();
    await runInDurableObject(shard, async (broker) => {
      await broker.deliver(beatAddress, messages);
    });
  }

  /** The schedule’s tasks at the Broker, oldest first. */
  async tasks(name: string): Promise<TaskView[]> {
    const { tasks } = await ok(
      brokerShard(testEnv, 0).list(alice, { labels: [`schedule:${this.prefix}${name}`], limit: 1000 }),
    );
    return tasks.reverse();
  }

  /** The ticks that its tasks stand for. */
  async ticks(name: string): Promise<string[]> {
    return (await this.tasks(name)).map(({ parent }) => (parent as { tick: string }).tick);
  }

  /** Seconds from now as ISO time. */
  in(seconds: number): string {
    return new Date(this.clock.now() + seconds * 1000).toISOString();
  }
}
