import { heartbeat, protocolVersion, TabgridError, type EdgeFrame, type WorkerFrame } from '#protocol';
import { isFatal, Link } from './connection.ts';
import { orderOf, type ControlOrder } from './control.ts';
import { parseEdgeFrame } from './parse.ts';
import type { SessionEffect, SessionInput, SessionOptions, SessionPhase, SessionStats, TimerName } from './messages.ts';
import { Work } from './work.ts';

/** When something happened, and a random number in [0, 1) should one be needed. */
export interface Moment {
  nowMs: number;
  random: number;
}

/**
 * A worker’s side of the protocol, without sockets, clocks or threads: inputs in, effects out.
 *
 * connecting → hello → working → draining → closed, and back to connecting whenever the connection is lost before the end.
 */
export class SessionMachine {
  readonly #options: SessionOptions;
  readonly #link = new Link();
  readonly #work: Work;
  readonly #queues: Set<string>;
  #intent: 'work' | 'drain' | 'closed' = 'work';
  #drainReason = '';
  #flushSet = false;
  #phase: SessionPhase = 'connecting';
  /** The last refusal that the edge named before it hung up. */
  #refusal: TabgridError | null = null;
  #effects: SessionEffect[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#queues = new Set(options.queues);
    this.#work = new Work(options, (effect) => this.#effects.push(effect));
  }

  get phase(): SessionPhase {
    return this.#phase;
  }

  get stats(): SessionStats {
    return {
      phase: this.#phase,
      concurrency: this.#work.concurrency,
      queues: [...this.#queues],
      connections: this.#link.welcomes,
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
        this.#connect();
        return;
      case 'opened':
        this.#greet();
        return;
      case 'closed':
        this.#connectionLost(input.error ?? this.#refusal, moment);
        return;
      case 'message':
        this.#heard(input.text);
        return;
      case 'timer':
        this.#timer(input.name, moment);
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
    if (this.#link.state === 'online' && !this.#flushSet && this.#work.hasNews) {
      this.#flushSet = true;
      this.#setTimer('flush', 0);
    }
    if (this.#intent === 'drain' && this.#work.isDone) this.#leave(this.#drainReason, moment);
    this.#updatePhase(null);
  }

  #isOver(): boolean {
    return this.#intent === 'closed';
  }

  // The connection

  #connect(): void {
    this.#link.state = 'connecting';
    this.#refusal = null;
    this.#setTimer('connect', this.#options.connectTimeoutMs);
    this.#effects.push({ type: 'connect' });
  }

  #greet(): void {
    if (this.#link.state !== 'connecting') return;
    this.#link.opened();
    this.#send({
      type: 'hello',
      protocol: protocolVersion,
      worker_id: this.#options.workerId,
      name: this.#options.name,
      queues: [...this.#queues],
      concurrency: this.#work.concurrency,
      capabilities: this.#options.capabilities,
      kernel_digest: this.#options.kernelDigest,
      holding: this.#work.holding(),
      credits: this.#work.grantAfresh(),
    });
  }

  #welcome(frame: Extract<EdgeFrame, { type: 'welcome' }>): void {
    if (this.#link.state !== 'greeting') return;
    this.#link.welcomed(frame.heartbeat_ms);
    this.#clearTimer('connect');
    for (const ref of frame.lost) this.#work.lost(ref);
    // The first ping goes at once: its answer shows that the connection holds.
    this.#beat();
  }

  #connectionLost(error: TabgridError | null, moment: Moment): void {
    if (this.#link.state === 'waiting' || this.#link.state === 'idle') return;
    this.#forgetConnection();
    if (isFatal(error)) {
      this.#close(error);
      return;
    }
    if (error) this.#warn(`The edge refused the connection: ${error.message}`);
    this.#setTimer('reconnect', this.#link.lost(this.#options.reconnect, moment.random));
  }

  #giveUpConnection(reason: string, moment: Moment): void {
    this.#effects.push({ type: 'disconnect', reason });
    this.#connectionLost(this.#refusal, moment);
  }

  /** `hello` says queues and concurrency, so a change of them is a new connection. Nothing is lost by it. */
  #greetAnew(): void {
    if (this.#link.state !== 'greeting' && this.#link.state !== 'online') return;
    this.#effects.push({ type: 'disconnect', reason: 'reconnecting with other queues or slots' });
    this.#forgetConnection();
    this.#connect();
  }

  #forgetConnection(): void {
    this.#work.connectionLost();
    this.#clearTimer('connect');
    this.#clearTimer('heartbeat');
    this.#clearTimer('flush');
    this.#flushSet = false;
  }

  #beat(): void {
    this.#link.pinged();
    this.#effects.push({ type: 'ping' });
    this.#setTimer('heartbeat', this.#link.heartbeatMs);
  }

  #timer(name: TimerName, moment: Moment): void {
    switch (name) {
      case 'reconnect':
        if (this.#link.state === 'waiting') this.#connect();
        return;
      case 'connect':
        this.#giveUpConnection('no welcome in time', moment);
        return;
      case 'heartbeat':
        if (this.#link.state !== 'online') return;
        if (this.#link.isSilent(this.#options.maxUnansweredPings)) {
          this.#giveUpConnection('no answer to heartbeats', moment);
          return;
        }
        this.#work.beat(moment.nowMs, this.#link.heartbeatMs);
        {
          this.#beat();
          return;
        }
      case 'flush':
        this.#flushSet = false;
        if (this.#link.state === 'online') this.#work.flush(moment.nowMs);
        return;
      case 'rate':
        return;
      case 'leave':
        this.#leave(this.#drainReason, moment);
        return;
    }
  }

  // Frames

  #heard(text: string): void {
    if (text === heartbeat.pong) {
      this.#link.ponged();
      return;
    }
    this.#link.heard();
    const { frame, fault } = parseEdgeFrame(text);
    if (!frame) {
      this.#warn(fault);
      return;
    }
    switch (frame.type) {
      case 'welcome':
        this.#welcome(frame);
        return;
      case 'tasks':
        for (const assignment of frame.items) this.#work.receive(assignment);
        return;
      case 'ack':
        for (const item of frame.items) this.#work.acknowledged(refOf(item), item.status);
        return;
      case 'revoke':
        for (const item of frame.items) this.#work.revoke(refOf(item), item.terminate);
        return;
      case 'control':
        this.#control(frame);
        return;
      case 'error':
        this.#refusal = new TabgridError(frame.error.code, frame.error.message);
        this.#warn(`The edge answered with an error: ${frame.error.code}: ${frame.error.message}`);
        return;
    }
  }

  #control(frame: Extract<EdgeFrame, { type: 'control' }>): void {
    const { order, error } = orderOf(frame.command, frame.arguments, this.#queues);
    // What makes a new connection is answered before it; a limit is in the figures that follow it.
    if (order?.type === 'rate_limit' || order?.type === 'time_limit') this.#obey(order);
    const reply = error === null ? { ok: order.type === 'ping' ? 'pong' : this.stats } : { error };
    this.#send({ type: 'control_reply', request_id: frame.request_id, reply });
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
        {
          this.#greetAnew();
          return;
        }
      case 'cancel_queue':
        this.#queues.delete(order.queue);
        {
          this.#greetAnew();
          return;
        }
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
    if (this.#link.state === 'online') {
      // Outcomes that are ready go first, so that goodbye does not give finished work away.
      this.#work.flush(moment.nowMs);
      this.#send({ type: 'goodbye', reason: reason.slice(0, 200) });
    }
    this.#close(null);
  }

  #close(error: TabgridError | null): void {
    this.#work.abandon();
    for (const name of timerNames) this.#clearTimer(name);
    this.#effects.push({ type: 'disconnect', reason: 'leaving' });
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
    if (this.#link.state === 'online') return 'working';
    return this.#link.state === 'greeting' ? 'hello' : 'connecting';
  }

  #send(frame: WorkerFrame): void {
    this.#effects.push({ type: 'send', frame });
  }

  #setTimer(name: TimerName, ms: number): void {
    this.#effects.push({ type: 'set_timer', name, ms });
  }

  #clearTimer(name: TimerName): void {
    this.#effects.push({ type: 'clear_timer', name });
  }

  #warn(message: string): void {
    this.#effects.push({ type: 'event', event: { type: 'warning', message } });
  }
}

const timerNames = ['reconnect', 'connect', 'heartbeat', 'flush', 'rate', 'leave'] as const satisfies TimerName[];

function refOf({ task_id, attempt }: { task_id: WorkerTaskId; attempt: number }) {
  return { task_id, attempt };
}

type WorkerTaskId = Extract<EdgeFrame, { type: 'ack' }>['items'][number]['task_id'];
