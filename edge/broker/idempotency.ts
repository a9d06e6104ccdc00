import { canonicalJson, sha256Hex, TabgridError, type Json, type TaskId } from '#protocol';
import type { Database } from '../lib/sql.ts';
import type { Core } from './core.ts';
import type { NewTask } from './rpc.ts';
import type { TaskStore } from './task-store.ts';

/** A longer answer would weigh on its task’s row. */
const maxRowChars = 512;

type StoredAnswer = [digest: string, answer: Json];

/**
 * Answers that were given under a key. They are forgotten together with the first task that they name: a short answer lies in that task’s
 * own row, under an index, which is all that most cost; others have a row in `idempotency`.
 */
export class IdempotencyKeys {
  readonly #database: Database;
  readonly #tasks: TaskStore;

  constructor({ database, tasks }: Pick<Core, 'database' | 'tasks'>) {
    this.#database = database;
    this.#tasks = tasks;
  }

  /**
   * The answer of the first time, if this is a repeat.
   * @throws TabgridError `idempotency_conflict` when the key came with another body.
   */
  recall<Answer>(owner: string, key: string, digest: string): Answer | undefined {
    const stored = this.#stored(owner, key);
    if (stored === undefined) return undefined;
    if (stored[0] !== digest) throw conflict();
    return stored[1] as Answer;
  }

  #stored(owner: string, key: string): StoredAnswer | undefined {
    const text = this.#tasks.answer(owner, key);
    if (text !== undefined) return JSON.parse(text) as StoredAnswer;
    const row = this.#database.maybe<{ digest: string; answer: string }>(
      'SELECT digest, answer FROM idempotency WHERE owner = ? AND key = ?',
      owner,
      key,
    );
    return row === undefined ? undefined : [row.digest, JSON.parse(row.answer) as Json];
  }

  remember(owner: string, key: string, digest: string, answer: unknown, taskId: TaskId): void {
    const text = JSON.stringify([digest, answer]);
    if (text.length <= maxRowChars && this.#tasks.keepAnswer(owner, taskId, key, text)) return;
    this.#database.run(
      'INSERT INTO idempotency (owner, key, digest, answer, task_id) VALUES (?, ?, ?, ?, ?)',
      owner,
      key,
      digest,
      JSON.stringify(answer),
      taskId,
    );
  }
}

export function conflict(): TabgridError {
  return new TabgridError('idempotency_conflict', 'this idempotency key was used with another body');
}

export const requestKey = (key: string): string => `request:${key}`;
export const taskKey = (key: string): string => `task:${key}`;

/** What makes two submissions under one key the same: everything but the times that a countdown leads to. */
export function taskDigest(task: NewTask): string {
  return sha256Hex(canonicalJson({ ...task, task_id: null, eta_ms: null, expires_ms: null }));
}
