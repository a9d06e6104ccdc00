import { reconnectPolicy, type Assignment, type AttemptRef, type Outcome, type WorkerId } from '#protocol';
import { SessionMachine } from '../../../client/worker/session/machine.ts';
import type { LinkId, SessionEffect, SessionInput } from '../../../client/worker/session/messages.ts';
import type { Timeline } from './timeline.ts';
import type { Wire } from './wire.ts';

export interface WorkerParts {
  readonly timeline: Timeline;
  readonly name: string;
  readonly concurrency: number;
  readonly prefetch: number;
  readonly connect: (hears: Pick<SimulatedWorker, 'hear' | 'lost'>) => Wire;
  /** An attempt is computed: what comes of it, and how long it takes. */
  readonly compute: (worker: string, assignment: Assignment) => { outcome: Outcome; takesMs: number };
  readonly acknowledged: (worker: string, ref: AttemptRef, status: 'recorded' | 'lease_lost') => void;
}

/** The one shard of the one edge. */
const link: LinkId = '0/0';

/** A worker: the real session machine, with a wire for a socket and outcomes drawn by chance in place of threads. */
export class SimulatedWorker {
  readonly #parts: WorkerParts;
  readonly #machine: SessionMachine;
  readonly #timers = new Map<string, () => void>();
  readonly #executions = new Map<string, () => void>();
  #wire: Wire | null = null;
  #isFrozen = false;
  #missed: SessionInput[] = [];
  isDead = false;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#machine = new SessionMachine({
      workerId: parts.name as WorkerId,
      name: parts.name,
      queues: ['default', 'other'],
      concurrency: parts.concurrency,
      prefetch: parts.prefetch,
      briefTasksAhead: 0,
      rateLimit: null,
      snapshotEveryMs: 0,
      connectTimeoutMs: 5_000,
      maxUnansweredPings: 2,
      reconnect: reconnectPolicy,
      edges: 1,
      capabilities: {
        runtime: 'node',
        cores: 1,
        gpu: false,
        tasks: ['evaluate_candidates', 'train_surrogate', 'ping'],
        evaluators: ['sim'],
      },
      kernelDigest: 'a'.repeat(64),
    });
    this.#input({ type: 'start' });
  }

  hear(text: string): void {
    this.#input({ type: 'message', link, text });
  }

  lost(wire: Wire): void {
    if (wire !== this.#wire) return;
    this.#wire = null;
    this.#input({ type: 'closed', link, error: null });
  }

  /** The process is killed: nobody says goodbye. */
  die(): void {
    this.isDead = true;
    for (const cancel of [...this.#timers.values(), ...this.#executions.values()]) cancel();
    this.#wire?.cut();
    this.#wire = null;
  }

  /** Hears and does nothing for a while, as a laptop does whose lid is closed. */
  freeze(forMs: number): void {
    if (this.isDead || this.#isFrozen) return;
    this.#isFrozen = true;
    this.#parts.timeline.after(forMs, () => {
      this.#isFrozen = false;
      const missed = this.#missed;
      this.#missed = [];
      for (const input of missed) this.#input(input);
    });
  }

  cut(): void {
    this.#wire?.cut();
  }

  drain(): void {
    this.#input({ type: 'drain', reason: 'leaving', graceMs: 3_000 });
  }

  get isOver(): boolean {
    return this.isDead || this.#machine.phase === 'closed';
  }

  #input(input: SessionInput): void {
    if (this.isDead) return;
    if (this.#isFrozen) {
      this.#missed.push(input);
      return;
    }
    const { timeline } = this.#parts;
    const effects = this.#machine.handle(input, { nowMs: timeline.nowMs, random: timeline.random.next() });
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: SessionEffect): void {
    const { timeline } = this.#parts;
    switch (effect.type) {
      case 'connect':
        this.#connect();
        return;
      case 'disconnect':
        this.#wire?.closeAtEdge();
        this.#wire = null;
        return;
      case 'send':
        this.#wire?.toEdge(JSON.stringify(effect.frame));
        return;
      case 'ping':
        this.#wire?.toEdge('ping');
        return;
      case 'set_timer': {
        const due: SessionInput =
          effect.link === null
            ? { type: 'timer', link: null, name: effect.name }
            : { type: 'timer', link: effect.link, name: effect.name };
        this.#timers.get(effect.name)?.();
        this.#timers.set(
          effect.name,
          timeline.after(effect.ms, () => this.#input(due)),
        );
        return;
      }
      case 'clear_timer':
        this.#timers.get(effect.name)?.();
        return;
      case 'execute':
        this.#execute(effect.assignment);
        return;
      case 'abort':
        this.#end(effect.ref, effect.reason === 'revoked' ? { type: 'revoked' } : null);
        return;
      case 'event':
        if (effect.event.type === 'acknowledged') {
          this.#parts.acknowledged(this.#parts.name, effect.event.ref, effect.event.status);
        }
        return;
      case 'ask_snapshot':
      case 'resize':
      case 'recycle':
        return;
    }
  }

  #connect(): void {
    const wire = this.#parts.connect({
      hear: (text) => {
        if (this.#wire === wire) this.hear(text);
      },
      lost: (closed) => this.lost(closed),
    });
    this.#wire = wire;
    this.#parts.timeline.after(this.#parts.timeline.random.int(0, 50), () => {
      if (this.#wire === wire) this.#input({ type: 'opened', link });
    });
  }

  #execute(assignment: Assignment): void {
    const ref = { task_id: assignment.task_id, attempt: assignment.attempt };
    const { outcome, takesMs } = this.#parts.compute(this.#parts.name, assignment);
    const { timeline } = this.#parts;
    const started = timeline.after(1, () => this.#input({ type: 'execution', ref, event: { type: 'started' } }));
    const finished = timeline.after(2 + takesMs, () => this.#end(ref, outcome, takesMs));
    this.#executions.set(keyOf(ref), () => {
      started();
      finished();
    });
  }

  #end(ref: AttemptRef, outcome: Outcome | null, runtimeMs = 0): void {
    this.#executions.get(keyOf(ref))?.();
    if (!this.#executions.delete(keyOf(ref)) || outcome === null) return;
    this.#input({ type: 'execution', ref, event: { type: 'finished', outcome, runtimeMs } });
  }
}

function keyOf({ task_id: id, attempt }: AttemptRef): string {
  return `${id}/${attempt}`;
}
