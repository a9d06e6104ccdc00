import { heartbeat, protocolVersion, TabgridError, type AttemptRef, type EdgeFrame, type WorkerFrame } from '#protocol';
import { orderOf, type ControlOrder } from './control.ts';
import type { Link } from './link.ts';
import { Links } from './links.ts';
import { parseEdgeMessage } from './parse.ts';
import type {
  LinkId,
  LinkTimerName,
  SessionEffect,
  SessionInput,
  SessionOptions,
  SessionPhase,
  SessionStats,
  SessionTimerName,
} from './messages.ts';
import { Work } from './work.ts';

/** When something happened, and a random number in [0, 1) should one be needed. */
export interface Moment {
  nowMs: number;
  random: number;
}

/**
 * A worker’s side of the protocol, without sockets, clocks or threads: inputs in, effects out.
 *
 * connecting → hello → working → draining → closed, and back to connecting whenever every connection is lost before the end. It has a link
 * to each shard of each of its edges; how many shards there are, an edge says in `welcome`.
 */
export class SessionMachine {
  readonly #options: SessionOptions;
  readonly #links: Links;
  readonly #work: Work;
  readonly #queues: Set<string>;
  #intent: 'work' | 'drain' | 'closed' = 'work';
  #drainReason = '';
  #flushSet = false;
  #phase: SessionPhase = 'connecting';
  #effects: SessionEffect[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#queues = new Set(options.queues);
    const emit = (effect: SessionEffect) => this.#effects.push(effect);
    this.#work = new Work(options, emit);
    this.#links = new Links(options, emit);
    for (let edge = 0; edge < options.edges; edge++) this.#work.addLink(this.#links.add(edge, 0).id);
  }

  get phase(): SessionPhase {
    return this.#phase;
  }

  get stats(): SessionStats {
    return {
      phase: this.#phase,
      concurrency: this.#work.concurrency,
      queues: [...this.#queues],
      connections: this.#links.welcomes,
      links: this.#links.online().length,
      task_limits: this.#work.taskLimits.figures(),
      ...this.#work.figures(),
    };
  }

  /** One step. The effects are to be carried out in order. */
  handle(input: SessionInput, moment: Moment): SessionEffect[] {
    this.#effects = [];
    if (this.#intent !== 'closed') {
      this.#dispatch(input, moment);
      this.#settle(moment);
    }
    return this.#effects;
  }

  #dispatch(input: SessionInput, moment: Moment): void {
    switch (input.type) {
      case 'start':
        for (const link of this.#links.all()) link.connect();
        return;
      case 'opened':
        this.#withLink(input.link, (link) => this.#greet(link));
        return;
      case 'closed':
        this.#withLink(input.link, (link) => this.#connectionLost(link, input.error ?? link.refusal, moment));
        return;
      case 'message':
        this.#withLink(input.link, (link) => this.#heard(link, input.text));
        return;
      case 'timer':
        if (input.link === null) this.#timer(input.name, moment);
        else this.#withLink(input.link, (link) => this.#linkTimer(link, input.name, moment));
        return;
      case 'execution':
        this.#work.heard(input.ref, input.event, moment.nowMs);
        return;
      case 'resize':
        this.#resize(input.concurrency);
        return;
      case 'drain':
        this.#drain(input.reason, input.graceMs);
        return;
      case 'leave':
        this.#leave(input.reason, moment);
        return;
    }
  }

  /** What follows from any input: begin what can begin, say what is new, end when all is done. */
  #settle(moment: Moment): void {
    if (this.#isOver()) return;
    this.#work.startNext(moment.nowMs);
    this.#sayNews(moment);
    if (this.#intent === 'drain' && this.#work.isDone) this.#leave(this.#drainReason, moment);
    this.#updatePhase(null);
  }

  /** What is said in one turn of the event loop goes together, unless it is much. */
  #sayNews({ nowMs }: Moment): void {
    const online = this.#links.online();
    if (this.#work.hasMuchNews(online)) this.#work.flush(nowMs, online);
    else if (!this.#flushSet && this.#work.hasNews(online)) {
      this.#flushSet = true;
      this.#setTimer('flush', 0);
    }
  }

  #isOver(): boolean {
    return this.#intent === 'closed';
  }

  // The links

  #withLink(id: LinkId, act: (link: Link) => void): void {
    const link = this.#links.get(id);
    if (link) act(link);
  }

  #greet(link: Link): void {
    if (!link.opened()) return;
    this.#send(link, {
      type: 'hello',
      protocol: protocolVersion,
      worker_id: this.#options.workerId,
      name: this.#options.name,
      queues: [...this.#queues],
      concurrency: this.#work.concurrency,
      capabilities: this.#options.capabilities,
      kernel_digest: this.#options.kernelDigest,
      holding: this.#work.holding(link.id),
      credits: this.#work.grantAfresh(link.id),
      batches: true,
    });
  }

  #welcome(link: Link, frame: Extract<EdgeFrame, { type: 'welcome' }>): void {
    if (!link.welcomed(frame.heartbeat_ms)) return;
    this.#work.welcomed(link.id, frame.max_holding ?? null);
    for (const ref of frame.lost) this.#work.lost(link.id, ref);
    // The first ping goes at once: its answer shows that the connection holds.
    link.ping();
    this.#fitShards(link.address.edge, frame.shards ?? 1);
  }

  /** Connects to shards that are new, and gives up those that are gone once their connection is. */
  #fitShards(edge: number, count: number): void {
    const { added, gone } = this.#links.fit(edge, count);
    for (const link of added) {
      this.#work.addLink(link.id);
      link.connect();
    }
    for (const link of gone) this.#removeLink(link);
  }

  #removeLink(link: Link): void {
    link.hangUp('there is no such shard any more');
    this.#work.removeLink(link.id);
    this.#links.remove(link);
  }

  #connectionLost(link: Link, error: TabgridError | null, moment: Moment): void {
    if (!link.lost(error, moment)) return;
    this.#work.connectionLost(link.id);
    if (this.#links.isGone(link)) {
      this.#removeLink(link);
      return;
    }
    if (link.isLive) {
      if (error) this.#warn(`The edge refused the connection: ${error.message}`);
      return;
    }
    if (!this.#links.isAnyLive) this.#close(error);
    else {
      this.#warn(`An edge refuses this worker: ${error?.message ?? ''} It goes on without.`);
      this.#work.removeLink(link.id);
    }
  }

  #giveUpConnection(link: Link, reason: string, moment: Moment): void {
    link.hangUp(reason);
    this.#connectionLost(link, link.refusal, moment);
  }

  /** `hello` says queues and concurrency, so a change of them is a new connection. Nothing is lost by it. */
  #greetAnew(): void {
    for (const link of this.#links.all()) {
      if (link.state !== 'greeting' && link.state !== 'online') continue;
      link.hangUp('reconnecting with other queues or slots');
      this.#work.connectionLost(link.id);
      link.connect();
    }
  }

  #linkTimer(link: Link, name: LinkTimerName, moment: Moment): void {
    switch (name) {
      case 'reconnect':
        if (link.state === 'waiting') link.connect();
        return;
      case 'connect':
        this.#giveUpConnection(link, 'no welcome in time', moment);
        return;
      case 'heartbeat':
        if (link.state !== 'online') return;
        if (link.isSilent) {
          this.#giveUpConnection(link, 'no answer to heartbeats', moment);
          return;
        }
        this.#work.beat(link.id, moment.nowMs, link.heartbeatMs);
        link.ping();
        return;
    }
  }

  #timer(name: SessionTimerName, moment: Moment): void {
    switch (name) {
      case 'flush':
        this.#flushSet = false;
        this.#work.flush(moment.nowMs, this.#links.online());
        return;
      case 'rate':
        return;
      case 'leave':
        this.#leave(this.#drainReason, moment);
        return;
    }
  }

  // Frames

  #heard(link: Link, text: string): void {
    if (text === heartbeat.pong) {
      link.ponged();
      return;
    }
    link.heard();
    for (const { frame, fault } of parseEdgeMessage(text)) {
      if (frame) this.#heardFrame(link, frame);
      else this.#warn(fault);
    }
  }

  #heardFrame(link: Link, frame: EdgeFrame): void {
    switch (frame.type) {
      case 'welcome':
        this.#welcome(link, frame);
        return;
      case 'tasks':
        for (const assignment of frame.items) this.#work.receive(link.id, assignment);
        return;
      case 'waiting':
        this.#work.waiting(link.id);
        return;
      case 'withdrawn':
        this.#work.withdrawn(link.id, frame.count);
        return;
      case 'ack':
        for (const item of frame.items) this.#work.acknowledged(link.id, refOf(item), item.status);
        return;
      case 'revoke':
        for (const item of frame.items) this.#work.revoke(link.id, refOf(item), item.terminate);
        return;
      case 'control':
        this.#control(link, frame);
        return;
      case 'error':
        link.refusal = new TabgridError(frame.error.code, frame.error.message);
        this.#warn(`The edge answered with an error: ${frame.error.code}: ${frame.error.message}`);
        return;
    }
  }

  #control(link: Link, frame: Extract<EdgeFrame, { type: 'control' }>): void {
    const { order, error } = orderOf(frame.command, frame.arguments, this.#queues);
    // What makes a new connection is answered before it; a limit is in the figures that follow it.
    if (order?.type === 'rate_limit' || order?.type === 'time_limit') this.#obey(order);
    const reply = error === null ? { ok: order.type === 'ping' ? 'pong' : this.stats } : { error };
    this.#send(link, { type: 'control_reply', request_id: frame.request_id, reply });
    if (order !== null && order.type !== 'rate_limit' && order.type !== 'time_limit') this.#obey(order);
  }

  #obey(order: ControlOrder): void {
    switch (order.type) {
      case 'ping':
      case 'stats':
        return;
      case 'shutdown':
        this.#drain('shut down by remote control', null);
        return;
      case 'restart':
        this.#effects.push({ type: 'recycle' });
        return;
      case 'resize':
        this.#resize(this.#work.concurrency + order.by);
        return;
      case 'add_queue':
        this.#queues.add(order.queue);
        this.#greetAnew();
        return;
      case 'cancel_queue':
        this.#queues.delete(order.queue);
        this.#greetAnew();
        return;
      case 'rate_limit':
        if (order.task === null) this.#work.setRate(order.rate);
        else this.#work.taskLimits.setRate(order.task, order.text, order.rate);
        return;
      case 'time_limit':
        this.#work.taskLimits.setTimes(order.task, order.softMs, order.hardMs);
        return;
    }
  }

  #resize(concurrency: number): void {
    const bounded = Math.min(1024, Math.max(1, concurrency));
    if (bounded === this.#work.concurrency) return;
    this.#work.concurrency = bounded;
    this.#effects.push({ type: 'resize', concurrency: bounded });
    this.#greetAnew();
  }

  // The end

  #drain(reason: string, graceMs: number | null): void {
    if (this.#intent !== 'work') return;
    this.#intent = 'drain';
    this.#drainReason = reason.slice(0, 200);
    this.#work.drain();
    if (graceMs !== null) this.#setTimer('leave', graceMs);
  }

  #leave(reason: string, moment: Moment): void {
    // Outcomes that are ready go first, so that goodbye does not give finished work away.
    this.#work.flush(moment.nowMs, this.#links.online());
    for (const link of this.#links.all()) {
      if (link.state === 'online') this.#send(link, { type: 'goodbye', reason: reason.slice(0, 200) });
    }
    this.#close(null);
  }

  #close(error: TabgridError | null): void {
    this.#work.abandon();
    for (const name of ['flush', 'rate', 'leave'] as const)
      this.#effects.push({ type: 'clear_timer', link: null, name });
    for (const link of this.#links.all()) link.hangUp('leaving');
    this.#intent = 'closed';
    this.#updatePhase(error);
  }

  // Small things

  #updatePhase(error: TabgridError | null): void {
    const phase = this.#currentPhase();
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#effects.push({ type: 'event', event: { type: 'phase', phase, error } });
  }

  #currentPhase(): SessionPhase {
    if (this.#intent === 'closed') return 'closed';
    if (this.#intent === 'drain') return 'draining';
    return this.#links.phase;
  }

  #send({ id: link }: Link, frame: WorkerFrame): void {
    this.#effects.push({ type: 'send', link, frame });
  }

  #setTimer(name: SessionTimerName, ms: number): void {
    this.#effects.push({ type: 'set_timer', link: null, name, ms });
  }

  #warn(message: string): void {
    this.#effects.push({ type: 'event', event: { type: 'warning', message } });
  }
}

/** Without what is said about it. */
function refOf({ task_id, attempt }: AttemptRef): AttemptRef {
  return { task_id, attempt };
}
