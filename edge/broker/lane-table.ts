import type { Database } from '../lib/sql.ts';
import { concurrencyKey, kindKey, laneKey, type Lane, type LaneKind, type NewLane } from './lanes.ts';

type Row = {
  id: number;
  queue: string;
  needs: string;
  edge: number;
  owner: string;
  concurrency_key: string | null;
  concurrency_limit: number | null;
};

/** All lanes, in memory and as rows: one for each combination of queue, needs, owner and concurrency limit that lately had a task. */
export class LaneTable {
  readonly #database: Database;
  readonly #byId = new Map<number, Lane>();
  readonly #byKey = new Map<string, Lane>();
  readonly #kinds = new Map<string, LaneKind>();
  /** Lanes whose tasks count together against their limits. */
  readonly #sharing = new Map<string, Lane[]>();

  constructor(database: Database) {
    this.#database = database;
    this.reload();
  }

  reload(): void {
    for (const map of [this.#byId, this.#byKey, this.#kinds, this.#sharing]) map.clear();
    const rows = this.#database.all<Row>(
      'SELECT id, queue, needs, edge, owner, concurrency_key, concurrency_limit FROM lanes',
    );
    for (const row of rows) {
      const { concurrency_key: key, concurrency_limit: limit } = row;
      this.#add(row.id, {
        queue: row.queue,
        needs: JSON.parse(row.needs) as string[],
        edge: row.edge === 1,
        owner: row.owner,
        concurrency: key === null || limit === null ? null : { key, limit },
      });
    }
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: number): Lane {
    const lane = this.#byId.get(id);
    if (lane === undefined) throw new Error(`there is no lane ${id}`);
    return lane;
  }

  queueOf(id: number): string {
    return this.get(id).kind.queue;
  }

  all(): IterableIterator<Lane> {
    return this.#byId.values();
  }

  /** Lanes of a queue. */
  ofQueue(queue: string): Lane[] {
    return [...this.#byId.values()].filter((lane) => lane.kind.queue === queue);
  }

  /** All lanes whose tasks count against this lane’s limit, itself among them. */
  sharing({ owner, concurrency }: Lane): readonly Lane[] {
    return concurrency === null ? [] : (this.#sharing.get(concurrencyKey(owner, concurrency.key)) ?? []);
  }

  /** The lane, made when it is the first of its kind. */
  of(wanted: NewLane): Lane {
    const present = this.#byKey.get(laneKey(wanted));
    if (present !== undefined) return present;
    const { id } = this.#database.one<{ id: number }>(
      `INSERT INTO lanes (queue, needs, edge, owner, concurrency_key, concurrency_limit) VALUES (?, ?, ?, ?, ?, ?) RETURNING id`,
      wanted.queue,
      JSON.stringify(wanted.needs),
      wanted.edge ? 1 : 0,
      wanted.owner,
      wanted.concurrency?.key ?? null,
      wanted.concurrency?.limit ?? null,
    );
    return this.#add(id, wanted);
  }

  /** Deletes lanes of which no task is left. Looks at every task. @returns how many. */
  trim(): number {
    const gone = this.#database.all<{ id: number }>(
      'DELETE FROM lanes WHERE id NOT IN (SELECT DISTINCT lane FROM tasks) RETURNING id',
    );
    if (gone.length > 0) this.reload();
    return gone.length;
  }

  #add(id: number, { queue, needs, edge, owner, concurrency }: NewLane): Lane {
    const key = kindKey({ queue, needs, edge });
    const kind = this.#kinds.get(key) ?? { queue, needs, edge };
    this.#kinds.set(key, kind);
    const lane: Lane = { id, kind, owner, concurrency };
    this.#byId.set(id, lane);
    this.#byKey.set(laneKey({ ...kind, owner, concurrency }), lane);
    if (concurrency !== null) {
      const shared = concurrencyKey(owner, concurrency.key);
      this.#sharing.set(shared, [...(this.#sharing.get(shared) ?? []), lane]);
    }
    return lane;
  }
}
