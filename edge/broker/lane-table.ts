import type { Database } from '../lib/sql.ts';
import { laneKey, type Lane } from './lanes.ts';

/** All lanes, in memory and as rows. They are few: one for each combination of queue and needs that ever had a task. */
export class LaneTable {
  readonly #database: Database;
  readonly #byId = new Map<number, Lane>();
  readonly #byKey = new Map<string, Lane>();

  constructor(database: Database) {
    this.#database = database;
    this.reload();
  }

  reload(): void {
    this.#byId.clear();
    this.#byKey.clear();
    type Row = { id: number; queue: string; needs: string; edge: number };
    for (const row of this.#database.all<Row>('SELECT id, queue, needs, edge FROM lanes')) {
      this.#add({ id: row.id, queue: row.queue, needs: JSON.parse(row.needs) as string[], edge: row.edge === 1 });
    }
  }

  get(id: number): Lane {
    const lane = this.#byId.get(id);
    if (lane === undefined) throw new Error(`there is no lane ${id}`);
    return lane;
  }

  queueOf(id: number): string {
    return this.get(id).queue;
  }

  /** Lanes of a queue. */
  ofQueue(queue: string): Lane[] {
    return [...this.#byId.values()].filter((lane) => lane.queue === queue);
  }

  /** The lane, made when it is the first of its kind. */
  of(wanted: Omit<Lane, 'id'>): Lane {
    const present = this.#byKey.get(laneKey(wanted));
    if (present !== undefined) return present;
    const { id } = this.#database.one<{ id: number }>(
      'INSERT INTO lanes (queue, needs, edge) VALUES (?, ?, ?) RETURNING id',
      wanted.queue,
      JSON.stringify(wanted.needs),
      wanted.edge ? 1 : 0,
    );
    return this.#add({ ...wanted, id });
  }

  #add(lane: Lane): Lane {
    this.#byId.set(lane.id, lane);
    this.#byKey.set(laneKey(lane), lane);
    return lane;
  }
}
