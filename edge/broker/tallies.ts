import type { FinalState } from '#protocol';
import type { Database } from '../lib/sql.ts';
import type { BrokerStats } from './rpc.ts';

/** Counts of ended tasks by type and state. Kept in memory and written now and then: the last seconds may be lost by a crash. */
export class Tallies {
  readonly #database: Database;
  #gathered = new Map<string, { task: string; state: FinalState; count: number; runtimeMs: number }>();

  constructor(database: Database) {
    this.#database = database;
  }

  add(task: string, state: FinalState, runtimeMs: number): void {
    const key = `${task} ${state}`;
    const tally = this.#gathered.get(key) ?? { task, state, count: 0, runtimeMs: 0 };
    tally.count++;
    tally.runtimeMs += runtimeMs;
    this.#gathered.set(key, tally);
  }

  get isDirty(): boolean {
    return this.#gathered.size > 0;
  }

  flush(): void {
    for (const { task, state, count, runtimeMs } of this.#gathered.values()) {
      this.#database.run(
        `INSERT INTO tallies (task, state, count, runtime_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT (task, state) DO UPDATE SET count = count + excluded.count, runtime_ms = runtime_ms + excluded.runtime_ms`,
        task,
        state,
        count,
        Math.round(runtimeMs),
      );
    }
    this.#gathered.clear();
  }

  /** All counts, those not yet written included. */
  read(): BrokerStats['finished'] {
    type Row = { task: string; state: string; count: number; runtime_ms: number };
    const sums = new Map(
      this.#database
        .all<Row>('SELECT task, state, count, runtime_ms FROM tallies')
        .map((row) => [
          `${row.task} ${row.state}`,
          { task: row.task, state: row.state as FinalState, count: row.count, runtimeMs: row.runtime_ms },
        ]),
    );
    for (const [key, tally] of this.#gathered) {
      const stored = sums.get(key);
      sums.set(
        key,
        stored === undefined
          ? tally
          : { ...stored, count: stored.count + tally.count, runtimeMs: stored.runtimeMs + tally.runtimeMs },
      );
    }
    return [...sums.values()].map(({ task, state, count, runtimeMs }) => ({
      task,
      state,
      count,
      runtime_seconds: runtimeMs / 1000,
    }));
  }
}
