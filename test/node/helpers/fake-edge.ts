import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  sha256Hex,
  sortableId,
  workerFrameSchema,
  type Assignment,
  type AttemptRef,
  type EdgeFrame,
  type Json,
  type Outcome,
  type TaskId,
  type WorkerFrame,
} from '#protocol';
import { attemptKey } from '../../../client/worker/index.ts';
import { acceptSockets, protocolsOf, type ServerSocket } from './socket-server.ts';

interface Task {
  assignment: Assignment;
  state: 'waiting' | 'leased' | 'adopted' | 'over';
  holder: string | null;
}

type Hello = Extract<WorkerFrame, { type: 'hello' }>;

interface Peer {
  socket: ServerSocket;
  hello: Hello;
  credits: number;
}

/** The edge in one process and in memory: enough of its sockets, leases and files for workers to be tried on. */
export class FakeEdge {
  readonly frames: WorkerFrame[] = [];
  /** What was reported, by socket or over HTTP, in order; repeats too. */
  readonly reports: { ref: AttemptRef; outcome: Outcome; by: 'socket' | 'http'; recorded: boolean }[] = [];
  readonly progress: { ref: AttemptRef; fraction: number | undefined }[] = [];
  readonly files = new Map<string, Uint8Array>();
  readonly requests: { method: string; url: string; authorization: string | undefined }[] = [];
  /** Answers every request with this status, as a broken edge does. */
  failWith: number | null = null;
  /** Results fit no task. */
  refuseResults = false;
  token = 'good';
  heartbeatMs = 200;
  readonly #tasks = new Map<TaskId, Task>();
  readonly #peers = new Set<Peer>();
  readonly #sockets = new Set<ServerSocket>();
  #server: Server | null = null;
  #port = 0;
  #made = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get peers(): Hello[] {
    return [...this.#peers].map(({ hello }) => hello);
  }

  /** Opens its port, the same one after a `stop`. What it knows is kept. */
  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    const isAccepted = (request: IncomingMessage) =>
      request.url === '/v1/worker' && protocolsOf(request)[1] === `bearer.${this.token}`;
    acceptSockets(server, isAccepted, (socket) => this.#connect(socket));
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.#sockets) socket.cut();
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
  }

  submit(task: string, kwargs: Record<string, Json>, overrides: Partial<Assignment> = {}): AttemptRef {
    const random = new Uint8Array(10);
    new DataView(random.buffer).setUint32(6, this.#made++);
    const assignment: Assignment = {
      task_id: `0-${sortableId(1_700_000_000_000, random)}` as TaskId,
      attempt: 1,
      task,
      args: [],
      kwargs,
      queue: 'default',
      priority: 5,
      retries: 0,
      owner: 'alice',
      soft_time_limit_ms: 3_000_000,
      time_limit_ms: 3_600_000,
      snapshot: null,
      ...overrides,
    };
    this.#tasks.set(assignment.task_id, { assignment, state: 'waiting', holder: null });
    this.#assign();
    return { task_id: assignment.task_id, attempt: assignment.attempt };
  }

  stateOf(ref: AttemptRef): Task['state'] | undefined {
    return this.#tasks.get(ref.task_id)?.state;
  }

  /** What ended an attempt, if something did. */
  outcomeOf(ref: AttemptRef): Outcome | undefined {
    return this.reports.find((report) => attemptKey(report.ref) === attemptKey(ref) && report.recorded)?.outcome;
  }

  revoke(ref: AttemptRef): void {
    const task = this.#tasks.get(ref.task_id);
    if (task) task.state = 'over';
    this.say({ type: 'revoke', items: [{ ...ref, terminate: true }] });
  }

  /** As if a group had adopted it. */
  adopted(ref: AttemptRef): Assignment {
    const task = this.#tasks.get(ref.task_id)!;
    task.state = 'adopted';
    return task.assignment;
  }

  /** The lease is over, and somebody else has the task. */
  takeAway(ref: AttemptRef): void {
    const task = this.#tasks.get(ref.task_id);
    if (task) task.state = 'over';
  }

  say(frame: EdgeFrame): void {
    for (const { socket } of this.#peers) socket.send(JSON.stringify(frame));
  }

  sent<Type extends WorkerFrame['type']>(type: Type): Extract<WorkerFrame, { type: Type }>[] {
    return this.frames.filter((frame): frame is Extract<WorkerFrame, { type: Type }> => frame.type === type);
  }

  // Sockets

  #connect(socket: ServerSocket): void {
    this.#sockets.add(socket);
    let peer: Peer | null = null;
    socket.onClose = () => {
      this.#sockets.delete(socket);
      if (peer) this.#peers.delete(peer);
    };
    socket.onMessage = (text) => {
      if (text === 'ping') {
        socket.send('pong');
        return;
      }
      const frame = workerFrameSchema.parse(JSON.parse(text));
      this.frames.push(frame);
      if (frame.type === 'hello') peer = this.#greet(socket, frame);
      else if (peer) this.#take(peer, frame);
      this.#assign();
    };
  }

  #greet(socket: ServerSocket, hello: Hello): Peer {
    const lost = hello.holding.filter((ref) => !this.#isHeld(ref));
    const held = new Set(hello.holding.map(attemptKey));
    for (const task of this.#tasks.values()) {
      const isGone =
        task.state === 'leased' && task.holder === hello.worker_id && !held.has(attemptKey(task.assignment));
      if (isGone) this.#release(task);
    }
    const { heartbeatMs } = this;
    const welcome: EdgeFrame = { type: 'welcome', protocol: 1, lease_ms: 30_000, heartbeat_ms: heartbeatMs, lost };
    socket.send(JSON.stringify(welcome));
    const peer = { socket, hello, credits: hello.credits };
    this.#peers.add(peer);
    return peer;
  }

  #take(peer: Peer, frame: WorkerFrame): void {
    switch (frame.type) {
      case 'credits':
        peer.credits += frame.add;
        return;
      case 'outcomes': {
        peer.credits += frame.credits;
        const items = frame.items.map(({ task_id, attempt, outcome }) => {
          const recorded = this.#report({ task_id, attempt }, outcome, 'socket');
          return { task_id, attempt, status: recorded ? ('recorded' as const) : ('lease_lost' as const) };
        });
        peer.socket.send(JSON.stringify({ type: 'ack', items } satisfies EdgeFrame));
        return;
      }
      case 'adopt':
        for (const ref of frame.items) {
          const task = this.#tasks.get(ref.task_id);
          if (task && this.#isHeld(ref)) task.state = 'adopted';
        }
        return;
      case 'snapshot': {
        const task = this.#tasks.get(frame.task_id);
        if (task) task.assignment.snapshot = frame.snapshot;
        return;
      }
      case 'goodbye':
        for (const task of this.#tasks.values()) {
          if (task.state === 'leased' && task.holder === peer.hello.worker_id) this.#release(task);
        }
        this.#peers.delete(peer);
        return;
      default:
        return;
    }
  }

  #assign(): void {
    for (const peer of this.#peers) {
      const items: Assignment[] = [];
      for (const task of this.#tasks.values()) {
        if (items.length >= peer.credits) break;
        if (task.state !== 'waiting' || !peer.hello.capabilities.tasks.includes(task.assignment.task)) continue;
        Object.assign(task, { state: 'leased', holder: peer.hello.worker_id });
        items.push(task.assignment);
      }
      peer.credits -= items.length;
      if (items.length > 0) peer.socket.send(JSON.stringify({ type: 'tasks', items } satisfies EdgeFrame));
    }
  }

  #release(task: Task): void {
    task.state = 'waiting';
    task.holder = null;
    task.assignment = { ...task.assignment, attempt: task.assignment.attempt + 1 };
  }

  #isHeld({ task_id, attempt }: AttemptRef): boolean {
    const task = this.#tasks.get(task_id);
    return task?.assignment.attempt === attempt && (task.state === 'leased' || task.state === 'adopted');
  }

  #report(ref: AttemptRef, outcome: Outcome, by: 'socket' | 'http'): boolean {
    const task = this.#tasks.get(ref.task_id);
    const isRepeat = this.reports.some((one) => one.recorded && attemptKey(one.ref) === attemptKey(ref));
    const isHeld = this.#isHeld(ref);
    if (task && isHeld) {
      if (outcome.type === 'released') this.#release(task);
      else task.state = 'over';
    }
    this.reports.push({ ref, outcome, by, recorded: isHeld || isRepeat });
    return isHeld || isRepeat;
  }

  // HTTP

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    this.requests.push({ method, url, authorization: headers.authorization });
    const refuse = (status: number, code: string) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { code, message: code } }));
    };
    if (this.failWith !== null) {
      refuse(this.failWith, 'unavailable');
      return;
    }
    if (headers.authorization !== `Bearer ${this.token}`) {
      refuse(401, 'unauthorized');
      return;
    }
    const { pathname } = new URL(url, this.url);
    if (pathname === '/v1/worker') {
      refuse(426, 'upgrade_required');
      return;
    }
    if (pathname.startsWith('/v1/files/')) {
      this.#file(request, pathname, Buffer.concat(chunks), response);
      return;
    }
    const [, id, verb] = /^\/v1\/leases\/([^/]+)\/(\w+)$/.exec(pathname) ?? [];
    if (id === undefined) {
      refuse(404, 'not_found');
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks).toString()) as {
      attempt: number;
      result: Json;
      progress: { fraction?: number };
    };
    const ref = { task_id: id as TaskId, attempt: body.attempt };
    if (verb === 'progress') this.progress.push({ ref, fraction: body.progress.fraction });
    if (verb === 'result' && this.refuseResults) {
      refuse(422, 'invalid_request');
      return;
    }
    const isGood =
      verb === 'result' ? this.#report(ref, { type: 'success', result: body.result }, 'http') : this.#isHeld(ref);
    if (!isGood) {
      refuse(409, 'lease_lost');
      return;
    }
    response.end('{}');
  }

  #file(request: IncomingMessage, path: string, body: Uint8Array, response: ServerResponse): void {
    const name = path.slice('/v1/files'.length);
    if (request.method === 'PUT') {
      this.files.set(name, new Uint8Array(body));
      response.end(JSON.stringify({ path: name, sha256: sha256Hex(body) }));
      return;
    }
    const bytes = this.files.get(name);
    const etag = bytes && `"${sha256Hex(bytes)}"`;
    if (!bytes || etag === undefined) response.writeHead(404).end();
    else if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
    else response.writeHead(200, { etag }).end(bytes);
  }
}
