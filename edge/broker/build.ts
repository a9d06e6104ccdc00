import type { TaskId } from '#protocol';
import { loadConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { Alarms } from '../lib/alarms.ts';
import type { Clock } from '../lib/clock.ts';
import { carryFrom, stubOf } from '../lib/delivery.ts';
import { SortableIds } from '../lib/ids.ts';
import { migrate } from '../lib/migrate.ts';
import { Outbox } from '../lib/outbox.ts';
import { SqlOutboxStore } from '../lib/outbox-store.ts';
import { call } from '../lib/rpc.ts';
import { Database } from '../lib/sql.ts';
import { noEffects, type AlarmName, type Core, type Reach } from './core.ts';
import { EventLog } from './events.ts';
import { Allowance } from './flow/allowance.ts';
import { LaneCounts } from './flow/counts.ts';
import { Gate } from './flow/gate.ts';
import { FlowSettings } from './flow/settings.ts';
import { IdempotencyKeys } from './idempotency.ts';
import { LaneTable } from './lane-table.ts';
import { restoreLeases, writeLeases } from './lease-rows.ts';
import { grace, LeaseTable } from './leases.ts';
import { ReadyQueue } from './ready-queue.ts';
import { brokerAddress, brokerShard, type FromBroker, type ParentApi } from './rpc.ts';
import { brokerMigrations } from './schema.ts';
import { Sessions } from './sessions.ts';
import { nextCheckMs } from './schedule.ts';
import { SpecTable } from './spec-table.ts';
import { StoredQueue } from './stored-queue.ts';
import { Submitters } from './submitters.ts';
import { Tallies } from './tallies.ts';
import { TaskStore } from './task-store.ts';
import { WorkerTable } from './worker-table.ts';

/** Builds a shard’s memory from its storage and its sockets: what an object does that is made, woken or restarted. */
export function buildCore(context: DurableObjectState, env: Env, clock: Clock, writeSoon: () => void): Core {
  const database = new Database(context.storage);
  migrate(database, brokerMigrations);
  const shard = shardOf(database, context.id);
  const leases = new LeaseTable();
  const isLeased = (id: TaskId): boolean => leases.get(id) !== undefined;
  const specs = new SpecTable(database);
  const counts = new LaneCounts(database, leases);
  const tasks = new TaskStore({ database, specs, counts, isLeased });
  const stored = new StoredQueue(database, tasks);
  const workers = new WorkerTable(database);
  const lanes = new LaneTable(database);
  const alarms = new Alarms<AlarmName>(database, context.storage, clock);
  const outboxStore = new SqlOutboxStore(database);
  const ready = new ReadyQueue({
    page: (lane, after, limit) => stored.page(lane, after, limit),
    heads: () => stored.heads(),
    lane: (id) => lanes.get(id),
    isLeased,
  });
  const config = loadConfig(env);
  const flow = new FlowSettings(database);
  const allowance = new Allowance(flow, shard, config.shards);
  const core: Core = {
    shard,
    config,
    clock,
    ids: new SortableIds(clock),
    database,
    specs,
    tasks,
    keys: new IdempotencyKeys({ database, tasks, lanes }),
    stored,
    lanes,
    ready,
    counts,
    flow,
    allowance,
    gate: new Gate(flow, allowance, () => flow.isComplete(shard, config.shards)),
    leases,
    workers,
    sessions: new Sessions(context, workers, clock),
    submitters: new Submitters(context, config.shards),
    events: new EventLog(database, clock, (lane) => lanes.queueOf(lane)),
    tallies: new Tallies(database),
    outbox: new Outbox<FromBroker>({
      store: outboxStore,
      clock,
      carry: (target, messages) => core.reach.carry(target, messages),
      wakeBy: (dueMs) => alarms.setBy('outbox', dueMs),
      arm: () => alarms.arm(),
    }),
    outboxStore,
    alarms,
    progressed: new Map(),
    writeSoon,
    effects: noEffects(),
    reach: reachOf(env, shard),
  };
  restoreLeases(core);
  afterRestart(core);
  alarms.verify();
  return core;
}

function reachOf(env: Env, shard: number): Reach {
  return {
    carry: carryFrom(env, brokerAddress(shard)),
    tellProgress: async (target, items) => {
      await call(stubOf<ParentApi>(env, target).taskProgress(items));
    },
    flowRows: () => call(brokerShard(env, 0).flowRows()),
    borrow: ({ scope, name, home, count }) => call(brokerShard(env, home).lend(scope, name, count)),
  };
}

/** Throws memory away and reads it anew: after a commit that was rolled back. */
export function restoreCore(core: Core): void {
  core.effects = noEffects();
  core.specs.reload();
  core.tasks.forget();
  core.keys.settle();
  core.progressed.clear();
  core.counts.reset();
  core.flow.reload();
  core.lanes.reload();
  core.workers.reload();
  core.sessions.restore();
  core.events.reload();
  core.alarms.reload();
  restoreLeases(core);
  core.ready.reset();
}

/** The shard’s number is in its name; the runtime doesn’t always know that when an alarm wakes the object, so it is written down. */
function shardOf(database: Database, id: DurableObjectId): number {
  const stored = database.maybe<{ value: string }>(`SELECT value FROM meta WHERE name = 'shard'`);
  if (stored !== undefined) return Number(stored.value);
  const shard = Number(/^broker-(\d+)$/.exec(id.name ?? '')?.[1] ?? '0');
  database.run(`INSERT INTO meta (name, value) VALUES ('shard', ?)`, String(shard));
  return shard;
}

/** Drawn once per process, so that an object can tell a restart of the edge from being rebuilt within it. */
let processMarker: string | null = null;

function afterRestart(core: Core): void {
  processMarker ??= [...core.clock.randomBytes(8)].join('.');
  const stored = core.database.maybe<{ value: string }>(`SELECT value FROM meta WHERE name = 'process'`);
  const isNewProcess = stored?.value !== processMarker;
  if (isNewProcess) {
    core.database.run(`INSERT OR REPLACE INTO meta (name, value) VALUES ('process', ?)`, processMarker);
  }
  const nowMs = core.clock.now();
  let lengthened = false;
  for (const lease of core.leases.all()) {
    const isHeard = core.sessions.byWorker(lease.workerId) !== undefined;
    if (isHeard || !grace(lease, isNewProcess, nowMs, core.config)) continue;
    core.leases.dirty.add(lease.workerId);
    lengthened = true;
  }
  if (!lengthened) return;
  writeLeases(core);
  for (const lease of core.leases.all()) core.alarms.setBy('leases', nextCheckMs(core, lease));
  core.alarms.arm();
}
