import { DurableObject } from 'cloudflare:workers';
import type { ScheduleSpec, Submitted } from '#protocol';
import type { Env } from '../env.ts';
import type { Preconditions } from '../files/preconditions.ts';
import { SwitchableClock } from '../lib/clock.ts';
import { reply, type Reply } from '../lib/rpc.ts';
import { Beating } from './beating.ts';
import { BeatEngine } from './engine.ts';
import type { BeatApi, SchedulePage, Versioned } from './rpc.ts';

/** All schedules: the thin object. Its alarm is their clock. */
export class Beat extends DurableObject<Env> implements BeatApi {
  readonly clock = new SwitchableClock();
  readonly engine: BeatEngine;
  readonly #beating: Beating;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.engine = new BeatEngine(context, env, this.clock);
    this.#beating = new Beating(this.engine);
  }

  put(
    owner: string,
    name: string,
    spec: ScheduleSpec,
    preconditions: Preconditions,
  ): Promise<Reply<Versioned & { created: boolean }>> {
    return reply(() => this.#beating.put(owner, name, spec, preconditions));
  }

  find(owner: string, name: string): Promise<Reply<Versioned>> {
    return reply(() => this.#beating.find(owner, name));
  }

  list(owner: string | null, page: { limit: number; cursor: string | null }): Promise<Reply<SchedulePage>> {
    return reply(() => this.#beating.list(owner, page));
  }

  remove(owner: string, name: string, preconditions: Preconditions): Promise<Reply<null>> {
    return reply(() => this.#beating.remove(owner, name, preconditions));
  }

  run(owner: string, name: string, request: Parameters<BeatApi['run']>[2]): Promise<Reply<Submitted>> {
    return reply(() => this.#beating.run(owner, name, request));
  }

  override async alarm(): Promise<void> {
    await this.engine.alarm();
  }
}
