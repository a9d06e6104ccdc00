import { isoTime, type Capabilities, type WorkerId, type WorkerView } from '#protocol';
import type { Database } from '../lib/sql.ts';
import { providesOf, type Profile } from './lanes.ts';

/** What a worker says of itself. */
export interface WorkerProfile {
  name: string;
  queues: string[];
  concurrency: number;
  capabilities: Capabilities;
  kernel_digest: string;
  trusted: boolean;
}

/** A row of the worker table. */
export interface WorkerRecord {
  readonly workerId: WorkerId;
  /** Whose token it came with. */
  sub: string;
  profile: WorkerProfile;
  online: boolean;
  connectedMs: number;
  seenMs: number;
  succeeded: number;
  failed: number;
  busyMs: number;
}

export function profileOf({ profile }: WorkerRecord): Profile {
  return {
    queues: new Set(profile.queues),
    provides: providesOf(profile.capabilities),
    trusted: profile.trusted,
  };
}

export function workerView(record: WorkerRecord, isOnline: boolean, seenMs: number, active: number): WorkerView {
  const { profile } = record;
  return {
    worker_id: record.workerId,
    name: profile.name,
    owner: record.sub,
    state: isOnline ? 'online' : 'offline',
    queues: profile.queues,
    concurrency: profile.concurrency,
    capabilities: profile.capabilities,
    trusted: profile.trusted,
    kernel_digest: profile.kernel_digest,
    connected_at: isoTime(record.connectedMs),
    last_heartbeat_at: isoTime(seenMs),
    active,
    succeeded: record.succeeded,
    failed: record.failed,
    busy_seconds: record.busyMs / 1000,
  };
}

type WorkerRow = {
  worker_id: string;
  sub: string;
  profile: string;
  online: number;
  connected_ms: number;
  seen_ms: number;
  succeeded: number;
  failed: number;
  busy_ms: number;
};

/** The workers that this shard knows. Rows are written when a worker comes or goes; its counters follow later (`flush`). */
export class WorkerTable {
  readonly #database: Database;
  readonly #byId = new Map<WorkerId, WorkerRecord>();
  readonly #dirty = new Set<WorkerRecord>();

  constructor(database: Database) {
    this.#database = database;
    this.reload();
  }

  reload(): void {
    this.#byId.clear();
    this.#dirty.clear();
    for (const row of this.#database.all<WorkerRow>('SELECT * FROM workers')) {
      const workerId = row.worker_id as WorkerId;
      this.#byId.set(workerId, {
        workerId,
        sub: row.sub,
        profile: JSON.parse(row.profile) as WorkerProfile,
        online: row.online === 1,
        connectedMs: row.connected_ms,
        seenMs: row.seen_ms,
        succeeded: row.succeeded,
        failed: row.failed,
        busyMs: row.busy_ms,
      });
    }
  }

  get(id: WorkerId): WorkerRecord | undefined {
    return this.#byId.get(id);
  }

  all(): IterableIterator<WorkerRecord> {
    return this.#byId.values();
  }

  /** A worker has come, or has said something new of itself. */
  register(workerId: WorkerId, sub: string, profile: WorkerProfile, online: boolean, nowMs: number): WorkerRecord {
    const present = this.#byId.get(workerId);
    const record: WorkerRecord = present ?? {
      workerId,
      sub,
      profile,
      online,
      connectedMs: nowMs,
      seenMs: nowMs,
      succeeded: 0,
      failed: 0,
      busyMs: 0,
    };
    const isNews = present?.online !== online || JSON.stringify(present.profile) !== JSON.stringify(profile);
    if (!record.online && online) record.connectedMs = nowMs;
    Object.assign(record, { sub, profile, online, seenMs: nowMs });
    this.#byId.set(workerId, record);
    if (isNews) this.#write(record);
    return record;
  }

  /** A worker without a socket was heard of. */
  heard(workerId: WorkerId, nowMs: number): void {
    const record = this.#byId.get(workerId);
    if (record !== undefined) record.seenMs = nowMs;
  }

  /** A worker has gone, and was last heard of then. */
  setOffline(record: WorkerRecord, seenMs: number): void {
    record.online = false;
    record.seenMs = Math.max(record.seenMs, seenMs);
    this.#write(record);
  }

  /** Counts an attempt that ended. */
  count(workerId: WorkerId, outcome: 'succeeded' | 'failed', busyMs: number): void {
    const record = this.#byId.get(workerId);
    if (record === undefined) return;
    record[outcome]++;
    record.busyMs += busyMs;
    this.#dirty.add(record);
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0;
  }

  /** Writes the counters. */
  flush(): void {
    for (const record of this.#dirty) this.#write(record);
  }

  /**
   * Forgets workers that were last heard of before `cutoffMs`.
   * @param isKept for those that are connected or hold something.
   * @returns how many are left that will have to be forgotten one day.
   */
  trim(cutoffMs: number, isKept: (id: WorkerId) => boolean): number {
    let left = 0;
    for (const record of this.#byId.values()) {
      if (isKept(record.workerId)) continue;
      if (record.seenMs >= cutoffMs) {
        left++;
        continue;
      }
      this.#byId.delete(record.workerId);
      this.#dirty.delete(record);
      this.#database.run('DELETE FROM workers WHERE worker_id = ?', record.workerId);
      this.#database.run('DELETE FROM leases WHERE worker_id = ?', record.workerId);
    }
    return left;
  }

  #write(record: WorkerRecord): void {
    this.#dirty.delete(record);
    this.#database.run(
      `INSERT OR REPLACE INTO workers (worker_id, sub, profile, online, connected_ms, seen_ms, succeeded, failed, busy_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      record.workerId,
      record.sub,
      JSON.stringify(record.profile),
      record.online ? 1 : 0,
      record.connectedMs,
      record.seenMs,
      record.succeeded,
      record.failed,
      record.busyMs,
    );
  }
}
