import { messagesOf, type Principal, type SubmissionFrame, type TaskEnd, type TaskId } from '#protocol';
import { chunksOf } from '../lib/chunks.ts';
import { sendText } from './sessions.ts';

const submitterTag = 'submitter';

/** Results of one frame, roughly. */
const maxFrameChars = 1_000_000;

interface Submitter {
  readonly principal: Principal;
  /** Tasks whose ends it wants to hear. */
  readonly watched: Set<TaskId>;
  /** Tasks of its frames that have not been answered. */
  unanswered: number;
  /** Frames of the present commit, which are on their way in a moment. */
  unsaid: string[];
}

/** The submitters’ sockets, and who waits for which task. What they watch is in memory alone: when it is lost, they are asked to say it again. */
export class Submitters {
  readonly #context: DurableObjectState;
  readonly #shards: number;
  readonly #bySocket = new Map<WebSocket, Submitter>();
  readonly #byTask = new Map<TaskId, Set<WebSocket>>();

  constructor(context: DurableObjectState, shards: number) {
    this.#context = context;
    this.#shards = shards;
    for (const socket of context.getWebSockets(submitterTag)) {
      const { principal } = socket.deserializeAttachment() as { principal: Principal };
      this.#welcome(socket, principal);
    }
  }

  accept(socket: WebSocket, principal: Principal): void {
    this.#context.acceptWebSocket(socket, [submitterTag]);
    socket.serializeAttachment({ kind: 'submitter', principal });
    this.#welcome(socket, principal);
  }

  of(socket: WebSocket): Submitter | undefined {
    return this.#bySocket.get(socket);
  }

  close(socket: WebSocket): void {
    for (const id of this.#bySocket.get(socket)?.watched ?? []) this.#forget(socket, id);
    this.#bySocket.delete(socket);
  }

  watch(socket: WebSocket, id: TaskId): void {
    this.#bySocket.get(socket)?.watched.add(id);
    const sockets = this.#byTask.get(id);
    if (sockets === undefined) this.#byTask.set(id, new Set([socket]));
    else sockets.add(socket);
  }

  isWatched(id: TaskId): boolean {
    return this.#byTask.has(id);
  }

  /** Tells the ends of tasks to whoever watches them; then nobody does any more. */
  tell(ends: readonly TaskEnd[]): void {
    const bySocket = new Map<WebSocket, TaskEnd[]>();
    for (const end of ends) {
      for (const socket of this.#byTask.get(end.task_id) ?? []) {
        const items = bySocket.get(socket);
        if (items === undefined) bySocket.set(socket, [end]);
        else items.push(end);
        this.#bySocket.get(socket)?.watched.delete(end.task_id);
      }
      this.#byTask.delete(end.task_id);
    }
    for (const [socket, items] of bySocket) this.tellEnds(socket, items);
  }

  tellEnds(socket: WebSocket, ends: readonly TaskEnd[]): void {
    for (const items of chunksOf(ends, maxFrameChars)) this.say(socket, { type: 'results', items });
  }

  /** What a commit answers to many frames goes in one message. */
  say(socket: WebSocket, frame: SubmissionFrame): void {
    const submitter = this.#bySocket.get(socket);
    if (submitter === undefined) return;
    if (submitter.unsaid.push(JSON.stringify(frame)) > 1) return;
    queueMicrotask(() => {
      const frames = submitter.unsaid;
      submitter.unsaid = [];
      for (const message of messagesOf(frames)) sendText(socket, message);
    });
  }

  #welcome(socket: WebSocket, principal: Principal): void {
    this.#bySocket.set(socket, { principal, watched: new Set(), unanswered: 0, unsaid: [] });
    this.say(socket, { type: 'welcome', shards: this.#shards });
  }

  #forget(socket: WebSocket, id: TaskId): void {
    const sockets = this.#byTask.get(id);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.#byTask.delete(id);
  }
}
