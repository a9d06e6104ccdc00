import { type Assignment, type Outcome, type TaskId } from '#protocol';
import { chunksOf } from '../lib/chunks.ts';
import { log } from '../lib/log.ts';
import { parseAddress } from '../lib/outbox.ts';
import { dispatch } from './dispatch.ts';
import { writeLeases } from './lease-rows.ts';
import { noEffects, type Core, type Effects } from './core.ts';
import type { EventSockets } from './event-sockets.ts';
import type { StoredEvent } from './events.ts';
import type { Wish } from './flow/allowance.ts';
import { closeSocket, sendAll } from './sessions.ts';
import { tellWhoCouldTake } from './waiting.ts';

/** Runs a task in the stateless Worker. */
export type Executor = (assignment: Assignment) => Promise<Outcome>;

/** Several notices share an outbox row up to this; a row has at most 2 MB, and a character up to 3 bytes. */
const maxNoticeChars = 500_000;

/** The last part of every commit, inside its transaction. @returns the commit’s events. */
export function concludeCommit(core: Core): StoredEvent[] {
  dispatch(core);
  tellWhoCouldTake(core);
  sendNotices(core);
  core.tasks.flush();
  dropSnapshots(core, core.effects.stopped);
  writeLeases(core);
  core.flow.flush();
  return core.events.flush();
}

/** Tells the objects behind tasks what has become of them. */
function sendNotices(core: Core): void {
  for (const [key, items] of core.effects.notices) {
    const target = parseAddress(key);
    for (const chunk of chunksOf(items, maxNoticeChars)) core.outbox.send(target, { type: 'finished', items: chunk });
    core.effects.flushOutbox = true;
  }
}

function dropSnapshots(core: Core, finished: readonly TaskId[]): void {
  if (finished.length === 0) return;
  core.database.run(
    `DELETE FROM payloads WHERE task_id IN (SELECT value FROM json_each(?)) AND kind = 'snapshot'`,
    JSON.stringify(finished),
  );
}

/** Those who wait for a task to become final. */
export class Waiters {
  readonly #waiting = new Map<TaskId, Set<() => void>>();

  /** @returns what takes the waiter back. */
  add(id: TaskId, wake: () => void): () => void {
    const wakes = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, wakes.add(wake));
    return () => {
      wakes.delete(wake);
      if (wakes.size === 0) this.#waiting.delete(id);
    };
  }

  wake(id: TaskId): void {
    for (const wake of [...(this.#waiting.get(id) ?? [])]) wake();
  }
}

export interface AftermathParts {
  readonly core: Core;
  readonly listeners: EventSockets;
  readonly waiters: Waiters;
  readonly runAtEdge: (assignment: Assignment) => void;
  readonly wakeIn: (ms: number) => void;
  readonly borrow: (wishes: readonly Wish[]) => void;
}

/** Carries out what a commit led to. The runtime holds messages back until the commit is on disk. */
export function carryOut(parts: AftermathParts, events: readonly StoredEvent[]): void {
  const { core, listeners, waiters } = parts;
  const effects = core.effects;
  core.effects = noEffects();
  core.tasks.settle();
  core.keys.settle();
  core.alarms.arm();
  for (const session of effects.sessions) core.sessions.keep(session);
  sendAll(core.sessions, effects.frames);
  for (const { socket, code, reason } of effects.closes) closeSocket(socket, code, reason);
  listeners.push(events);
  core.submitters.tell(effects.ends);
  core.tallies.hear(events);
  if (core.tallies.isDirty) core.writeSoon();
  for (const id of effects.finished) waiters.wake(id);
  effects.edgeRuns.forEach(parts.runAtEdge);
  if (effects.flushOutbox) void core.outbox.flush();
  if (effects.wakeInMs !== Infinity) parts.wakeIn(effects.wakeInMs);
  const wishes = core.allowance.takeWishes();
  if (wishes.length > 0) parts.borrow(wishes);
  tellParents(core, effects);
}

/** Progress is told as well as it goes: the next one makes up for one that is lost. */
function tellParents(core: Core, effects: Effects): void {
  for (const [key, items] of effects.progress) {
    core.reach
      .tellProgress(parseAddress(key), items)
      .catch((error: unknown) => log('info', 'progress-not-told', { target: key, error }));
  }
}
