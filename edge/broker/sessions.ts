import { heartbeat, messagesOf, type EdgeFrame, type Principal, type WorkerId } from '#protocol';
import type { Clock } from '../lib/clock.ts';
import type { LaneKind, Profile } from './lanes.ts';
import { serves } from './lanes.ts';
import { profileOf, type WorkerRecord, type WorkerTable } from './worker-table.ts';

/** What a socket carries through hibernation: at most 16 KiB, so a worker’s profile lies in the worker table. */
type Attachment =
  | { kind: 'greeting'; principal: Principal }
  /** Of `Submitters`. */
  | { kind: 'submitter'; principal: Principal }
  | WorkerAttachment;

interface WorkerAttachment {
  kind: 'worker';
  principal: Principal;
  workerId: WorkerId;
  credits: number;
  seenMs: number;
  watches: boolean;
  batches: boolean;
}

/** A connected worker. */
export interface WorkerSession {
  readonly socket: WebSocket;
  readonly principal: Principal;
  worker: WorkerRecord;
  profile: Profile;
  /** Tasks that it can still take. */
  credits: number;
  /** Reads several frames in one message. */
  readonly batches: boolean;
  /** Wants to be told when tasks wait that it has given no credits for. */
  watches: boolean;
  /** It has been told, and has given no credits since. Forgotten by an eviction: then it is told twice. */
  isTold: boolean;
  /** Of its last frame; heartbeats are known to the runtime alone. */
  seenMs: number;
  /** What the socket carries. */
  kept: WorkerAttachment | null;
}

/** What is carried of `seenMs` may be older by so much. */
const keepSeenMs = 1_000;

export const workerTag = 'worker';

/** The workers’ sockets. They outlive the object’s memory, so that everything here is rebuilt from them. */
export class Sessions {
  readonly #context: DurableObjectState;
  readonly #workers: WorkerTable;
  readonly #clock: Clock;
  readonly #bySocket = new Map<WebSocket, WorkerSession>();
  readonly #byWorker = new Map<WorkerId, WorkerSession>();
  /** Whose turn it is, so that equal workers get equally much. */
  #turn = 0;

  constructor(context: DurableObjectState, workers: WorkerTable, clock: Clock) {
    this.#context = context;
    this.#workers = workers;
    this.#clock = clock;
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair(heartbeat.ping, heartbeat.pong));
    this.restore();
  }

  /** Reads everything from the sockets. */
  restore(): void {
    this.#bySocket.clear();
    this.#byWorker.clear();
    for (const socket of this.#context.getWebSockets(workerTag)) {
      const attachment = attachmentOf(socket);
      if (socket.readyState !== WebSocket.OPEN || attachment?.kind !== 'worker') continue;
      const worker = this.#workers.get(attachment.workerId);
      if (worker === undefined) continue;
      const { principal, credits, seenMs, watches, batches } = attachment;
      this.#put({ socket, principal, worker, credits, batches, watches, seenMs, kept: attachment });
    }
  }

  get size(): number {
    return this.#byWorker.size;
  }

  /** Takes a socket, whose worker has yet to say hello. */
  accept(socket: WebSocket, principal: Principal): void {
    this.#context.acceptWebSocket(socket, [workerTag]);
    socket.serializeAttachment({ kind: 'greeting', principal } satisfies Attachment);
  }

  /** Who opened the socket; undefined where it was not opened for a worker: what a submitter said last may arrive after its socket has closed. */
  principalOf(socket: WebSocket): Principal | undefined {
    const session = this.#bySocket.get(socket);
    if (session !== undefined) return session.principal;
    const attachment = attachmentOf(socket);
    const isWorkers = attachment?.kind === 'greeting' || attachment?.kind === 'worker';
    return isWorkers ? attachment.principal : undefined;
  }

  bySocket(socket: WebSocket): WorkerSession | undefined {
    return this.#bySocket.get(socket);
  }

  byWorker(id: WorkerId): WorkerSession | undefined {
    return this.#byWorker.get(id);
  }

  list(): { worker_id: WorkerId; name: string }[] {
    return [...this.#byWorker.values()].map(({ worker }) => ({
      worker_id: worker.workerId,
      name: worker.profile.name,
    }));
  }

  all(): IterableIterator<WorkerSession> {
    return this.#byWorker.values();
  }

  /** The worker has said hello. @returns the session of an older socket of the same worker, which it replaces. */
  open(
    socket: WebSocket,
    principal: Principal,
    worker: WorkerRecord,
    { credits, batches }: Pick<WorkerSession, 'credits' | 'batches'>,
  ): WorkerSession | undefined {
    const older = this.#byWorker.get(worker.workerId);
    if (older !== undefined) this.#bySocket.delete(older.socket);
    const seenMs = this.#clock.now();
    this.#put({ socket, principal, worker, credits, batches, watches: false, seenMs, kept: null });
    return older?.socket === socket ? undefined : older;
  }

  close(session: WorkerSession): void {
    this.#bySocket.delete(session.socket);
    if (this.#byWorker.get(session.worker.workerId) === session) this.#byWorker.delete(session.worker.workerId);
  }

  /** Keeps what must survive hibernation. Call it after a commit. */
  keep(session: WorkerSession): void {
    const { socket, worker, principal, credits, watches, batches, seenMs, kept } = session;
    if (this.#bySocket.get(socket) !== session) return;
    const isKept = kept?.credits === credits && kept.watches === watches && kept.seenMs + keepSeenMs > seenMs;
    if (isKept) return;
    session.kept = { kind: 'worker', principal, workerId: worker.workerId, credits, seenMs, watches, batches };
    socket.serializeAttachment(session.kept);
  }

  /** When the worker was last heard of: its last frame, or the last heartbeat, which the runtime answered by itself. */
  seenMs(session: WorkerSession): number {
    return Math.max(session.seenMs, this.#context.getWebSocketAutoResponseTimestamp(session.socket)?.getTime() ?? 0);
  }

  /** Whether nothing was heard of the worker since then. */
  isSilentSince(session: WorkerSession, sinceMs: number): boolean {
    return session.seenMs < sinceMs && this.seenMs(session) < sinceMs;
  }

  /** Workers that can take a task of the kind, each time beginning with another one. Some may not have been heard of lately. */
  takers(kind: LaneKind): WorkerSession[] {
    const able = [...this.#byWorker.values()].filter((session) => session.credits > 0 && serves(session.profile, kind));
    const first = able.length === 0 ? 0 : this.#turn++ % able.length;
    return [...able.slice(first), ...able.slice(0, first)];
  }

  get anyRoom(): boolean {
    for (const session of this.#byWorker.values()) if (session.credits > 0) return true;
    return false;
  }

  #put(known: Omit<WorkerSession, 'profile' | 'isTold'>): void {
    const session: WorkerSession = { ...known, profile: profileOf(known.worker), isTold: false };
    this.#bySocket.set(session.socket, session);
    this.#byWorker.set(session.worker.workerId, session);
  }
}

function attachmentOf(socket: WebSocket): Attachment | undefined {
  return (socket.deserializeAttachment() ?? undefined) as Attachment | undefined;
}

/** Sends to sockets in order: to workers that read them so, the frames of a commit in as few messages as may be. */
export function sendAll(sessions: Sessions, frames: readonly { socket: WebSocket; frame: EdgeFrame | string }[]): void {
  const bySocket = new Map<WebSocket, string[]>();
  for (const { socket, frame } of frames) {
    const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
    const texts = bySocket.get(socket);
    if (texts === undefined) bySocket.set(socket, [text]);
    else texts.push(text);
  }
  for (const [socket, texts] of bySocket) {
    const messages = sessions.bySocket(socket)?.batches === true ? messagesOf(texts) : texts;
    for (const message of messages) sendText(socket, message);
  }
}

/** Sends to a socket that may have closed meanwhile. */
export function send(socket: WebSocket, frame: EdgeFrame | string): void {
  sendText(socket, typeof frame === 'string' ? frame : JSON.stringify(frame));
}

export function sendText(socket: WebSocket, text: string): void {
  try {
    socket.send(text);
  } catch {
    // Closed meanwhile: whoever listens there comes back, or its lease runs out.
  }
}

export function closeSocket(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // Closed already.
  }
}
