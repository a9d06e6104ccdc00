import { canonicalJson, sha256Hex, TabgridError, type Json, type Submitted, type TaskId } from '#protocol';
import type { Database } from '../lib/sql.ts';
import type { Core } from './core.ts';
import type { LaneTable } from './lane-table.ts';
import type { NewTask } from './rpc.ts';
import type { TaskStore } from './task-store.ts';

/** A longer answer would weigh on its task’s row. */
const maxRowChars = 512;

type StoredAnswer = [digest: string, answer: Json];

/** As it lies in a task’s row: without the answer where that is the usual one. */
type RowAnswer = StoredAnswer | [digest: string];

/** What a submission of one task is mostly answered. */
function usualAnswer(task_id: TaskId, queue: string): Submitted[] {
  return [{ task_id, state: 'PENDING', queue }];
}

/**
 * Answers that were given under a key. They are forgotten together with the first task that they name: a short answer lies in that task’s
 * own row, under an index, which is all that most cost; others have a row in `idempotency`.
 */
export class IdempotencyKeys {
  readonly #database: Database;
  readonly #tasks: TaskStore;
  readonly #lanes: LaneTable;
  /** Keys that will be asked for: they are looked up together. */
  #expected: [owner: string, key: string][] = [];
  /** What was looked up and what was given in this commit; null where there is no answer. */
  readonly #known = new Map<string, StoredAnswer | null>();

  constructor({ database, tasks, lanes }: Pick<Core, 'database' | 'tasks' | 'lanes'>) {
    this.#database = database;
    this.#tasks = tasks;
    this.#lanes = lanes;
  }

  /** The next commit asks for this one. */
  expect(owner: string, key: string): void {
    this.#expected.push([owner, key]);
  }

  /**
   * The answer of the first time, if this is a repeat.
   * @throws TabgridError `idempotency_conflict` when the key came with another body.
   */
  recall<Answer>(owner: string, key: string, digest: string): Answer | undefined {
    const stored = this.#stored(owner, key);
    if (stored === null) return undefined;
    if (stored[0] !== digest) throw conflict();
    return stored[1] as Answer;
  }

  remember(owner: string, key: string, digest: string, answer: unknown, taskId: TaskId): void {
    this.#known.set(nameOf(owner, key), [digest, answer as Json]);
    const answerText = JSON.stringify(answer);
    const text = JSON.stringify(answerText === this.#usualText(taskId) ? [digest] : [digest, answer]);
    if (text.length <= maxRowChars && this.#tasks.keepAnswer(owner, taskId, key, text)) return;
    this.#database.runEach(insertAnswers, [[owner, key, digest, answerText, taskId]]);
  }

  /** The commit is over, or was rolled back. */
  settle(): void {
    this.#expected = [];
    this.#known.clear();
  }

  #usualText(id: TaskId): string | null {
    const record = this.#tasks.read(id);
    return record === undefined ? null : JSON.stringify(usualAnswer(id, this.#lanes.queueOf(record.lane)));
  }

  #stored(owner: string, key: string): StoredAnswer | null {
    const name = nameOf(owner, key);
    if (!this.#known.has(name)) {
      this.#expected.push([owner, key]);
      this.#lookUp();
    }
    return this.#known.get(name) ?? null;
  }

  #lookUp(): void {
    const wanted = this.#expected.filter(([owner, key]) => !this.#known.has(nameOf(owner, key)));
    this.#expected = [];
    const names = wanted.map(([owner, key]) => nameOf(owner, key));
    for (const name of names) this.#known.set(name, null);
    const places = wanted.map(([owner, key], at) => [owner, key, at]);
    for (const row of this.#database.raw(findAnswers, JSON.stringify(places))) {
      const [at, digest, answer, id, lane] = row as [number, string | null, string, TaskId, number];
      this.#known.set(
        names[at] ?? '',
        digest === null
          ? this.#complete(JSON.parse(answer) as RowAnswer, id, lane)
          : [digest, JSON.parse(answer) as Json],
      );
    }
  }

  #complete([digest, ...answer]: RowAnswer, id: TaskId, lane: number): StoredAnswer {
    const [given = usualAnswer(id, this.#lanes.queueOf(lane)) as unknown as Json] = answer;
    return [digest, given];
  }
}

/** Keys are read and written as JSON alone: half of a character, which a key may have, would become another one as a bound value. */
const insertAnswers = `
  WITH fresh AS MATERIALIZED (SELECT value AS tuple FROM json_each(?))
  INSERT INTO idempotency (owner, key, digest, answer, task_id)
  SELECT tuple->>0, tuple->>1, tuple->>2, tuple->>3, tuple->>4 FROM fresh`;

/** Takes owner, key and place of each, and gives the place, the digest and the answer; of one in a task’s row, with the digest in it, the task and its lane, too. */
const findAnswers = `
  WITH tuples AS MATERIALIZED (SELECT value AS tuple FROM json_each(?)),
    wanted AS MATERIALIZED (SELECT tuple->>0 AS owner, tuple->>1 AS key, tuple->>2 AS place FROM tuples)
  SELECT wanted.place, NULL, tasks.answer, tasks.id, tasks.lane
    FROM wanted CROSS JOIN tasks INDEXED BY tasks_answered ON tasks.owner = wanted.owner AND tasks.answer_key = wanted.key
  UNION ALL
  SELECT wanted.place, idempotency.digest, idempotency.answer, NULL, NULL
    FROM wanted CROSS JOIN idempotency ON idempotency.owner = wanted.owner AND idempotency.key = wanted.key`;

/** Both may have any characters, so that the length tells where the owner ends. */
function nameOf(owner: string, key: string): string {
  return `${owner.length} ${owner}${key}`;
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
