import { heartbeat, reconnectPolicy, type AttemptRef } from '#protocol';
import type { TabgridError } from '#protocol';
import type { ExecutionListener, Executor } from '../execution/executor.ts';
import type { Clock } from '../lib/clock.ts';
import type { Connection, Transport } from '../link/transport.ts';
import { SessionMachine } from './machine.ts';
import type {
  SessionEffect,
  SessionEvent,
  SessionInput,
  SessionOptions,
  SessionPhase,
  SessionStats,
  SessionTimerName,
  LinkAddress,
  LinkId,
  LinkTimerName,
} from './messages.ts';

/** What most workers leave as it is. */
export const sessionDefaults = {
  prefetch: 1,
  briefTasksAhead: 0,
  rateLimit: null,
  snapshotEveryMs: 15_000,
  connectTimeoutMs: 15_000,
  maxUnansweredPings: 2,
  reconnect: reconnectPolicy,
  edges: 1,
} as const satisfies Partial<SessionOptions>;

export interface SessionParts {
  /** One for each of the session’s edges. */
  transports: readonly Transport[];
  executor: Executor;
  clock: Clock;
  /** Hears everything that happens, for a page, a log or a test. */
  onEvent?: (event: SessionEvent) => void;
}

/** Keeps one worker connected, fed and heard: carries out what the machine decides. */
export class WorkerSession {
  readonly #machine: SessionMachine;
  readonly #parts: SessionParts;
  readonly #timers = new Map<string, () => void>();
  readonly #inputs: SessionInput[] = [];
  readonly #closed: Promise<TabgridError | null>;
  #resolveClosed: (error: TabgridError | null) => void = () => undefined;
  readonly #connections = new Map<LinkId, Connection>();
  #busy = false;

  constructor(options: SessionOptions, parts: SessionParts) {
    this.#machine = new SessionMachine(options);
    this.#parts = parts;
    this.#closed = new Promise((resolve) => (this.#resolveClosed = resolve));
  }

  get phase(): SessionPhase {
    return this.#machine.phase;
  }

  get stats(): SessionStats {
    return this.#machine.stats;
  }

  /** Resolves when the session is over: with the refusal that ended it, or null after a leave. Never rejects. */
  get closed(): Promise<TabgridError | null> {
    return this.#closed;
  }

  start(): void {
    this.#input({ type: 'start' });
  }

  /** Changes how many attempts are computed at a time. */
  resize(concurrency: number): void {
    this.#input({ type: 'resize', concurrency });
  }

  /**
   * Leaves in good order: takes nothing new, hands back what can be continued elsewhere, finishes the rest and waits for the edge’s
   * acknowledgements.
   *
   * @param graceMs After this long it leaves at once; null waits as long as it takes.
   */
  drain(reason: string, graceMs: number | null = null): Promise<TabgridError | null> {
    this.#input({ type: 'drain', reason, graceMs });
    return this.#closed;
  }

  /** Leaves at once: what runs is stopped and given back. The frames are handed to the connection before this returns. */
  leave(reason: string): void {
    this.#input({ type: 'leave', reason });
  }

  #input(input: SessionInput): void {
    this.#inputs.push(input);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) {
        const { clock } = this.#parts;
        const effects = this.#machine.handle(next, { nowMs: clock.now(), random: clock.random() });
        for (const effect of effects) this.#carryOut(effect);
      }
    } finally {
      this.#busy = false;
    }
  }

  #carryOut(effect: SessionEffect): void {
    const { executor } = this.#parts;
    switch (effect.type) {
      case 'connect':
        this.#connect(effect.link, effect.address);
        return;
      case 'disconnect':
        this.#connections.get(effect.link)?.close(effect.reason);
        this.#connections.delete(effect.link);
        return;
      case 'send':
        this.#connections.get(effect.link)?.send(JSON.stringify(effect.frame));
        return;
      case 'ping':
        this.#connections.get(effect.link)?.send(heartbeat.ping);
        return;
      case 'set_timer':
        this.#setTimer(effect);
        return;
      case 'clear_timer':
        this.#timers.get(timerKey(effect))?.();
        this.#timers.delete(timerKey(effect));
        return;
      case 'execute': {
        const ref: AttemptRef = { task_id: effect.assignment.task_id, attempt: effect.assignment.attempt };
        const tell: ExecutionListener = (event) => this.#input({ type: 'execution', ref, event });
        executor.start({ ...effect.assignment, edge: edgeOf(effect.link) }, tell, effect.isBrief);
        return;
      }
      case 'abort':
        executor.abort(effect.ref, effect.reason);
        return;
      case 'ask_snapshot':
        executor.askSnapshot(effect.ref);
        return;
      case 'resize':
        executor.resize(effect.concurrency);
        return;
      case 'recycle':
        executor.recycle();
        return;
      case 'event':
        this.#parts.onEvent?.(effect.event);
        if (effect.event.type === 'phase' && effect.event.phase === 'closed') this.#resolveClosed(effect.event.error);
        return;
    }
  }

  /** What an abandoned connection still says is not heard. */
  #connect(link: LinkId, { edge, shard }: LinkAddress): void {
    const transport = this.#parts.transports[edge];
    if (transport === undefined) throw new Error(`the edge ${edge} has no transport`);
    let opened: Connection | null = null;
    const isPresent = () => opened !== null && this.#connections.get(link) === opened;
    opened = transport.connect(
      {
        opened: () => isPresent() && this.#input({ type: 'opened', link }),
        message: (text) => isPresent() && this.#input({ type: 'message', link, text }),
        closed: (error) => {
          if (!isPresent()) return;
          this.#connections.delete(link);
          this.#input({ type: 'closed', link, error });
        },
      },
      shard,
    );
    this.#connections.set(link, opened);
  }

  #setTimer(timer: Timer & { ms: number }): void {
    const { ms, ...rest } = timer;
    const key = timerKey(rest);
    this.#timers.get(key)?.();
    const cancel = this.#parts.clock.setTimer(ms, () => {
      this.#timers.delete(key);
      this.#input({ ...rest, type: 'timer' });
    });
    this.#timers.set(key, cancel);
  }
}

type Timer = { link: LinkId; name: LinkTimerName } | { link: null; name: SessionTimerName };

function timerKey({ link, name }: Timer): string {
  return `${link ?? ''} ${name}`;
}

function edgeOf(link: LinkId): number {
  return Number(link.slice(0, link.indexOf('/')));
}
