import {
  framesOf,
  limits,
  messagesOf,
  reconnectPolicy,
  retryDelayMs,
  TabgridError,
  workerSubprotocol,
  type Signature,
  type SubmissionError,
  type SubmissionFrame,
  type Submitted,
  type SubmitterFrame,
  type TaskEnd,
  type TaskId,
} from '#protocol';
import { Ends } from './ends.ts';
import { Heartbeat } from './lib/heartbeat.ts';
import type { WebSocketLike } from './options.ts';
import type { Transport } from './transport.ts';

/** The socket cannot be used: everything goes over HTTP instead. */
export class SocketUnusable extends Error {
  override readonly name = 'SocketUnusable';
}

interface Request {
  readonly frame: Extract<SubmitterFrame, { type: 'submit' }>;
  readonly resolve: (tasks: Submitted[]) => void;
  readonly reject: (error: Error) => void;
}

interface Waiting {
  readonly resolve: (end: TaskEnd) => void;
  readonly reject: (error: Error) => void;
}

/** How long a socket may take to be opened and welcomed. */
const welcomeTimeoutMs = 10_000;
/** How long an idle socket stays open; it keeps a Node process alive. */
const idleMs = 100;
/** Tasks named in one frame. */
const maxWatched = 1_000;

/**
 * Submits over one WebSocket and hears there how tasks end, which costs a fraction of what requests do. A lost connection is made again,
 * and what was not answered is said again under the same key. Where no socket can be opened, or the deployment has several shards, it
 * says so by `SocketUnusable`.
 */
export class Submission {
  readonly #transport: Transport;
  readonly #requests = new Map<string, Request>();
  readonly #waiting = new Map<TaskId, Waiting[]>();
  readonly #ends = new Ends();
  /** Tasks that the edge tells the end of on the present connection. */
  readonly #told = new Set<TaskId>();
  #socket: WebSocketLike | null = null;
  #isWelcome = false;
  #isUsable: boolean;
  #failures = 0;
  /** Of the present socket, once it is welcome. */
  #heartbeat: Heartbeat | null = null;
  /** The present socket is alive, or no more: it is not waited for. */
  #heard: () => void = () => undefined;
  #made = 0;
  /** What is said at the same time goes in one message. */
  #unsaid: string[] = [];

  constructor(transport: Transport) {
    this.#transport = transport;
    const { WebSocket, submitOver } = transport.options;
    this.#isUsable = WebSocket !== undefined && submitOver === 'socket';
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** @throws TabgridError what the edge refuses; SocketUnusable */
  submit(tasks: Signature[], key: string): Promise<Submitted[]> {
    return new Promise((resolve, reject) => {
      const frame = { type: 'submit', request_id: String(++this.#made), key, tasks } as const;
      this.#requests.set(frame.request_id, { frame, resolve, reject });
      if (this.#isWelcome) this.#say(frame);
      else this.#open();
    });
  }

  /** How a task ends, once it has. @throws TabgridError `not_found`; SocketUnusable */
  ended(id: TaskId, signal?: AbortSignal): Promise<TaskEnd> {
    const known = this.#ends.get(id);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const waiting = { resolve, reject };
      const others = this.#waiting.get(id) ?? [];
      this.#waiting.set(id, [...others, waiting]);
      signal?.addEventListener('abort', () => {
        this.#giveUp(id, waiting);
        reject(signal.reason as Error);
      });
      if (!this.#isWelcome) this.#open();
      else if (!this.#told.has(id)) this.#watch([id]);
    });
  }

  close(): void {
    this.#isUsable = false;
    this.#failAll(new SocketUnusable('the grid was closed'));
    this.#socket?.close(1000);
  }

  #open(): void {
    const { WebSocket, token } = this.#transport.options;
    if (this.#socket !== null) return;
    if (!this.#isUsable || WebSocket === undefined) {
      this.#failAll(new SocketUnusable('there is no WebSocket'));
      return;
    }
    // A token must not stand in an address, where logs would keep it.
    const address = this.#transport.address('/v1/submit').replace(/^http/, 'ws');
    const socket = new WebSocket(address, [workerSubprotocol, `bearer.${token}`]);
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      if (this.#socket !== socket || typeof data !== 'string' || this.#heartbeat?.heard(data) === true) return;
      const frames = framesOf(JSON.parse(data)) as SubmissionFrame[];
      for (const frame of frames) this.#hear(frame, data.length / frames.length);
    });
    socket.addEventListener('close', () => this.#lost(socket));
    this.#giveUpSilent(socket);
    socket.addEventListener('error', () => this.#lost(socket));
  }

  /** A socket without a welcome leads nowhere. */
  #giveUpSilent(socket: WebSocketLike): void {
    const heard = new AbortController();
    this.#heard = () => heard.abort();
    this.#transport.options.clock.sleep(welcomeTimeoutMs, heard.signal).then(
      () => {
        socket.close();
        this.#lost(socket);
      },
      () => undefined,
    );
  }

  /** @param chars its share of the message that it came in */
  #hear(frame: SubmissionFrame, chars: number): void {
    switch (frame.type) {
      case 'welcome':
        this.#welcome(frame.shards);
        return;
      case 'submitted':
        if (frame.watched) for (const { task_id: id } of frame.tasks) this.#told.add(id);
        this.#take(frame.request_id)?.resolve(frame.tasks);
        break;
      case 'refused':
        this.#refused(frame.request_id, frame.error);
        break;
      case 'results':
        this.#ends.add(frame.items, chars);
        for (const end of frame.items) this.#tell(end);
        for (const id of frame.unknown ?? []) this.#unknown(id);
        break;
      case 'error':
        this.#failAll(errorOf(frame.error));
    }
    this.#restSoon();
  }

  /** Says what has not been answered, and what somebody waits for. */
  #welcome(shards: number): void {
    if (shards > 1) {
      this.#isUsable = false;
      this.#failAll(new SocketUnusable('several shards: repeats are noticed over HTTP'));
      this.#socket?.close(1000);
      return;
    }
    this.#heard();
    this.#failures = 0;
    this.#told.clear();
    const isFirst = !this.#isWelcome;
    this.#isWelcome = true;
    if (isFirst) {
      this.#beginHeartbeat();
      for (const { frame } of this.#requests.values()) this.#say(frame);
    }
    this.#watch([...this.#waiting.keys()]);
    this.#restSoon();
  }

  #beginHeartbeat(): void {
    const socket = this.#socket;
    if (socket === null) return;
    const { clock, heartbeatMs } = this.#transport.options;
    this.#heartbeat = new Heartbeat(socket, clock, heartbeatMs, () => {
      socket.close();
      this.#lost(socket);
    });
  }

  #watch(ids: readonly TaskId[]): void {
    for (let from = 0; from < ids.length; from += maxWatched) {
      const some = ids.slice(from, from + maxWatched);
      for (const id of some) this.#told.add(id);
      this.#say({ type: 'watch', task_ids: some });
    }
  }

  #refused(id: string, error: SubmissionError): void {
    const request = this.#requests.get(id);
    if (error.code !== 'rate_limited' || request === undefined) {
      this.#take(id)?.reject(errorOf(error));
      return;
    }
    // The edge has too much to store at the moment, not too much for ever.
    const { clock } = this.#transport.options;
    void clock.sleep((error.retry_after ?? 1) * 1000 * (0.5 + clock.random() / 2)).then(() => {
      if (this.#isWelcome && this.#requests.has(id)) this.#say(request.frame);
    });
  }

  #take(id: string): Request | undefined {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    return request;
  }

  #tell(end: TaskEnd): void {
    this.#told.delete(end.task_id);
    for (const { resolve } of this.#waiting.get(end.task_id) ?? []) resolve(end);
    this.#waiting.delete(end.task_id);
  }

  #unknown(id: TaskId): void {
    for (const { reject } of this.#waiting.get(id) ?? []) {
      reject(new TabgridError('not_found', `there is no task ${id}`));
    }
    this.#waiting.delete(id);
  }

  #giveUp(id: TaskId, waiting: Waiting): void {
    const others = (this.#waiting.get(id) ?? []).filter((one) => one !== waiting);
    if (others.length === 0) this.#waiting.delete(id);
    else this.#waiting.set(id, others);
    this.#restSoon();
  }

  #lost(socket: WebSocketLike): void {
    if (this.#socket !== socket) return;
    this.#heard();
    this.#heartbeat?.stop();
    this.#heartbeat = null;
    const wasWelcome = this.#isWelcome;
    this.#socket = null;
    this.#isWelcome = false;
    if (this.#requests.size === 0 && this.#waiting.size === 0) return;
    // It never opened: a proxy without WebSockets, or a token that may not submit. Requests tell which.
    if (!wasWelcome && this.#failures === 0 && this.#ends.isEmpty && this.#told.size === 0) {
      this.#isUsable = false;
      this.#failAll(new SocketUnusable('no WebSocket can be opened'));
      return;
    }
    const { clock, retries } = this.#transport.options;
    if (this.#failures >= retries) {
      this.#failAll(new TypeError('the edge cannot be reached'));
      return;
    }
    void clock.sleep(retryDelayMs(reconnectPolicy, this.#failures++, clock.random())).then(() => this.#open());
  }

  #failAll(error: Error): void {
    const [requests, waiting] = [[...this.#requests.values()], [...this.#waiting.values()].flat()];
    this.#requests.clear();
    this.#waiting.clear();
    for (const { reject } of [...requests, ...waiting]) reject(error);
  }

  /** Closes a socket that nobody needs for a while. */
  #restSoon(): void {
    if (!this.#isIdle()) return;
    void this.#transport.options.clock.sleep(idleMs).then(() => {
      if (this.#isIdle()) this.#socket?.close(1000);
    });
  }

  #isIdle(): boolean {
    return this.#isWelcome && this.#requests.size === 0 && this.#waiting.size === 0;
  }

  #say(frame: SubmitterFrame): void {
    const text = JSON.stringify(frame);
    if (text.length > limits.maxJsonBodyBytes && frame.type === 'submit') {
      // The edge would not read it, so could not say which submission it refuses.
      this.#take(frame.request_id)?.reject(tooLarge(text.length));
      return;
    }
    if (this.#unsaid.push(text) > 1) return;
    queueMicrotask(() => {
      const frames = this.#unsaid;
      this.#unsaid = [];
      for (const message of messagesOf(frames)) this.#socket?.send(message);
    });
  }
}

function tooLarge(chars: number): TabgridError {
  const expected = `expected at most ${limits.maxJsonBodyBytes} characters of JSON in one submission`;
  return new TabgridError('body_too_large', `tasks: ${expected}, got ${chars}`);
}

function errorOf({ code, message, details, retry_after: retryAfterSeconds }: SubmissionError): TabgridError {
  return new TabgridError(code, message, {
    ...(details === undefined ? {} : { details }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
