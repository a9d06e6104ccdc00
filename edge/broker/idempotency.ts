import { canonicalJson, sha256Hex, TabgridError, type TaskId } from '#protocol';
import type { Database } from '../lib/sql.ts';
import type { NewTask } from './rpc.ts';

/** Answers that were given under a key. They are forgotten together with the first task that they name. */
export class IdempotencyKeys {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * The answer of the first time, if this is a repeat.
   * @throws TabgridError `idempotency_conflict` when the key came with another body.
   */
  recall<Answer>(owner: string, key: string, digest: string): Answer | undefined {
    const row = this.#database.maybe<{ digest: string; answer: string }>(
      'SELECT digest, answer FROM idempotency WHERE owner = ? AND key = ?',
      owner,
      key,
    );
    if (row === undefined) return undefined;
    if (row.digest !== digest) throw conflict();
    return JSON.parse(row.answer) as Answer;
  }

  remember(owner: string, key: string, digest: string, answer: unknown, taskId: TaskId): void {
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
