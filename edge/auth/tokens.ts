import { DurableObject } from 'cloudflare:workers';
import { TabgridError } from '#protocol';
import type { Env } from '../env.ts';
import { Alarms, alarmsTable } from '../lib/alarms.ts';
import { systemClock, type Clock } from '../lib/clock.ts';
import { migrate, type Migration } from '../lib/migrate.ts';
import { reply, type Reply } from '../lib/rpc.ts';
import { Database } from '../lib/sql.ts';
import { maxRevocations, type AdmissionLimit, type MintRecord, type TokensApi } from './tokens-rpc.ts';

/** How long the record of an `Idempotency-Key` is kept, and how often what is over is deleted. */
const mintRetentionMs = 24 * 3_600_000;
const sweepMs = 3_600_000;
/** Rows of a table that one sweep deletes; the rest follows at once. */
const sweepCount = 1_000;

export const tokenMigrations: readonly Migration[] = [
  {
    id: 1,
    sql: `
      CREATE TABLE revoked (jti TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE admissions (key TEXT PRIMARY KEY, count INTEGER NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE minted (
        key TEXT PRIMARY KEY, body_digest TEXT NOT NULL, jti TEXT NOT NULL, exp INTEGER NOT NULL, until_ms INTEGER NOT NULL
      ) WITHOUT ROWID;
      ${alarmsTable}
    `,
  },
];

/** Remembers of tokens what their signature cannot tell: revocations, admissions of volunteers, repeats of a request. */
export class Tokens extends DurableObject<Env> implements TokensApi {
  clock: Clock = systemClock;
  readonly #database: Database;
  readonly #alarms: Alarms<'sweep'>;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.#database = new Database(context.storage);
    migrate(this.#database, tokenMigrations);
    this.#alarms = new Alarms(this.#database, context.storage, this.clock);
  }

  revoked(): Promise<Reply<string[]>> {
    return reply(() =>
      this.#database
        .all<{ jti: string }>('SELECT jti FROM revoked WHERE until_ms > ?', this.clock.now())
        .map(({ jti }) => jti),
    );
  }

  revoke(jti: string, untilSeconds: number): Promise<Reply<null>> {
    return this.#change(() => {
      const { count } = this.#database.one<{ count: number }>('SELECT count(*) AS count FROM revoked');
      if (count >= maxRevocations) {
        throw new TabgridError('conflict', `${count} tokens are revoked already; rotate TABGRID_SECRET instead`);
      }
      this.#database.run('INSERT OR REPLACE INTO revoked (jti, until_ms) VALUES (?, ?)', jti, untilSeconds * 1000);
      return null;
    });
  }

  admit(limits: AdmissionLimit[]): Promise<Reply<null>> {
    return this.#change(() => {
      const nowMs = this.clock.now();
      for (const { key, limit } of limits) {
        const row = this.#database.maybe<{ count: number; until_ms: number }>(
          'SELECT count, until_ms FROM admissions WHERE key = ?',
          key,
        );
        if (row !== undefined && row.until_ms > nowMs && row.count >= limit) {
          throw new TabgridError('rate_limited', 'too many enrolments from this address or network', {
            retryAfterSeconds: (row.until_ms - nowMs) / 1000,
          });
        }
      }
      for (const { key, windowMs } of limits) {
        this.#database.run(
          `INSERT INTO admissions (key, count, until_ms) VALUES (?1, 1, ?2 + ?3) ON CONFLICT (key) DO UPDATE SET
             count = iif(until_ms > ?2, count + 1, 1), until_ms = iif(until_ms > ?2, until_ms, ?2 + ?3)`,
          key,
          nowMs,
          windowMs,
        );
      }
      return null;
    });
  }

  mintOnce(key: string, bodyDigest: string, record: MintRecord): Promise<Reply<MintRecord>> {
    return this.#change(() => {
      const nowMs = this.clock.now();
      const first = this.#database.maybe<{ body_digest: string; jti: string; exp: number }>(
        'SELECT body_digest, jti, exp FROM minted WHERE key = ? AND until_ms > ?',
        key,
        nowMs,
      );
      if (first === undefined) {
        this.#database.run(
          'INSERT OR REPLACE INTO minted (key, body_digest, jti, exp, until_ms) VALUES (?, ?, ?, ?, ?)',
          key,
          bodyDigest,
          record.jti,
          record.exp,
          nowMs + mintRetentionMs,
        );
        return record;
      }
      if (first.body_digest !== bodyDigest) {
        throw new TabgridError('idempotency_conflict', 'this Idempotency-Key was used with another body');
      }
      return { jti: first.jti, exp: first.exp };
    });
  }

  override alarm(): void {
    this.#alarms.fired();
    const nowMs = this.clock.now();
    if (this.#alarms.take(nowMs).length > 0) this.#sweep(nowMs);
    this.#alarms.arm();
  }

  /** @returns how many rows it deleted. */
  #deleteOver(table: 'revoked' | 'admissions' | 'minted', key: 'jti' | 'key', nowMs: number): number {
    return this.#database.all(
      `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE until_ms <= ? LIMIT ?) RETURNING ${key}`,
      nowMs,
      sweepCount,
    ).length;
  }

  /** Deletes what is over, a batch at a time, and comes back while anything is left. */
  #sweep(nowMs: number): void {
    this.#database.transaction(() => {
      const deleted = [
        this.#deleteOver('revoked', 'jti', nowMs),
        this.#deleteOver('admissions', 'key', nowMs),
        this.#deleteOver('minted', 'key', nowMs),
      ];
      if (deleted.includes(sweepCount)) {
        this.#alarms.set('sweep', nowMs);
        return;
      }
      const { left } = this.#database.one<{ left: number }>(
        'SELECT (SELECT count(*) FROM revoked) + (SELECT count(*) FROM admissions) + (SELECT count(*) FROM minted) AS left',
      );
      if (left > 0) this.#alarms.setBy('sweep', nowMs + sweepMs);
    });
  }

  #change<T>(body: () => T): Promise<Reply<T>> {
    return reply(() => {
      const changed = this.#database.transaction(() => {
        const value = body();
        this.#alarms.setBy('sweep', this.clock.now() + sweepMs);
        return value;
      });
      this.#alarms.arm();
      return changed;
    });
  }
}
