import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CampaignId, WorkflowId } from '#protocol';
import { tokenMigrations } from '../../edge/auth/tokens.ts';
import { beatMigrations } from '../../edge/beat/schema.ts';
import { beat } from '../../edge/beat/rpc.ts';
import { migrations as campaignMigrations } from '../../edge/campaign/schema.ts';
import { campaignObject } from '../../edge/campaign/rpc.ts';
import { filesObject } from '../../edge/files/rpc.ts';
import { noPreconditions } from '../../edge/files/preconditions.ts';
import { migrations as fileMigrations } from '../../edge/files/schema.ts';
import type { Clock } from '../../edge/lib/clock.ts';
import type { Migration } from '../../edge/lib/migrate.ts';
import { monitor } from '../../edge/monitor/rpc.ts';
import { monitorMigrations } from '../../edge/monitor/store.ts';
import { workflowObject } from '../../edge/workflow/rpc.ts';
import { workflowMigrations } from '../../edge/workflow/schema.ts';
import { testEnv } from './helpers/api.ts';
import { alice, codeOf, ok, principal } from './helpers/broker.ts';
import { FakeClock } from './helpers/clock.ts';
import { evictAll } from './helpers/evict.ts';
import { dropAlarm, store, type StoredTables } from './helpers/stored.ts';

interface Stored {
  nowMs: number;
  tables: StoredTables;
  [fact: string]: unknown;
}

/** By object and schema, what the code of its time had written. */
const stored = import.meta.glob<Stored>('./schemas/*.json', { eager: true, import: 'default' });

type Clocked = { clock: Clock & { source?: Clock } };

const { BEAT, BROKER, CAMPAIGN, FILES, MONITOR, TOKENS, WORKFLOW } = testEnv;

/** An object as a version of the code left it, opened by this one, at the time of then. */
async function opened<T extends Rpc.DurableObjectBranded>(
  object: string,
  namespace: DurableObjectNamespace<T>,
  migrations: readonly Migration[],
  version: number,
): Promise<Stored> {
  const left = stored[`./schemas/${object}-${version}.json`];
  if (left === undefined) throw new Error(`no rows of schema ${version} of ${object} are kept in test/edge/schemas`);
  const name = typeof left.id === 'string' ? left.id : 'main';
  // A stub is of no use after an eviction.
  const stub = () => namespace.get(namespace.idFromName(name));
  // What was due then would be done at today’s time before the test can set the clock.
  await runInDurableObject(stub(), (_, state) =>
    store(
      state,
      migrations.slice(0, version),
      Object.fromEntries(Object.entries(left.tables).filter(([table]) => table !== 'alarms')),
    ),
  );
  // The broker has applied what the object knows to have arrived.
  for (const { target, seq } of left.tables.outbox_acknowledged ?? []) {
    const broker = BROKER.get(BROKER.idFromName((target as string).slice('broker/'.length)));
    await runInDurableObject(broker, (_, { storage }) => {
      storage.sql.exec('INSERT OR REPLACE INTO inbox (sender, seq) VALUES (?, ?)', `${object}/${name}`, seq ?? null);
    });
  }
  // A real alarm that fires after the last test would find nobody there.
  onTestFinished(() => runInDurableObject(stub(), (_, state) => dropAlarm(state)));
  await evictAll();
  await runInDurableObject(stub(), (instance) => {
    const clocked = instance as unknown as Clocked;
    const clock = new FakeClock(left.nowMs);
    if ('source' in clocked.clock) clocked.clock.source = clock;
    else clocked.clock = clock;
  });
  return left;
}

const versionsOf = (migrations: readonly Migration[]) => migrations.map(({ id }) => id);

describe('what an earlier version left', () => {
  it.each(versionsOf(beatMigrations))('in the beat with schema %i is there, and goes on', async (version) => {
    const { prefix } = await opened('beat', BEAT, beatMigrations, version);
    const { schedule } = await ok(beat(testEnv).find('alice', `${String(prefix)}minutely`));
    expect(schedule).toMatchObject({ enabled: true, total_runs: 1, schedule: { every: 60 } });
    const paused = await ok(beat(testEnv).find('alice', `${String(prefix)}paused`));
    expect(paused.schedule).toMatchObject({ enabled: false, next_run: null });
    await ok(beat(testEnv).run('alice', `${String(prefix)}minutely`, null));
    const again = await ok(beat(testEnv).find('alice', `${String(prefix)}minutely`));
    expect(again.schedule.total_runs).toBe(2);
  });

  it.each(versionsOf(campaignMigrations))('in a campaign with schema %i is there', async (version) => {
    const { id } = await opened('campaign', CAMPAIGN, campaignMigrations, version);
    const campaign = campaignObject(testEnv, id as CampaignId);
    const view = await ok(campaign.view(alice));
    expect(view).toMatchObject({ campaign_id: id, progress: { evaluated: 3, budget: 7 } });
    const { body } = await ok(campaign.exportAs(alice, 'json'));
    expect((JSON.parse(body) as { observations: unknown[] }).observations).toHaveLength(5);
  });

  it.each(versionsOf(fileMigrations))('in the files with schema %i is there, and goes on', async (version) => {
    const left = await opened('files', FILES, fileMigrations, version);
    const files = filesObject(testEnv);
    const { files: views } = await ok(files.list('fay', { prefix: '/', limit: 10, cursor: null }));
    expect(views.map(({ path, bytes }) => [path, bytes])).toEqual([
      ['/data/a.csv', 8],
      ['/data/b.csv', 8],
    ]);
    const { upload_id: upload } = left.upload as { upload_id: string };
    expect(await ok(files.upload('fay', upload))).toMatchObject({ path: '/big.bin', parts: [{ part: 1, bytes: 8 }] });
    await ok(files.remove('fay', '/data/a.csv', noPreconditions));
    expect(await codeOf(files.find('fay', '/data/a.csv'))).toBe('not_found');
  });

  it.each(versionsOf(monitorMigrations))('in the monitor with schema %i is there', async (version) => {
    await opened('monitor', MONITOR, monitorMigrations, version);
    expect(await ok(monitor(testEnv).history(0))).toMatchObject([{ waiting: 4, workers_online: 2 }]);
  });

  it.each(versionsOf(tokenMigrations))('in the tokens with schema %i holds still', async (version) => {
    const { minted } = await opened('tokens', TOKENS, tokenMigrations, version);
    const tokens = TOKENS.get(TOKENS.idFromName('main'));
    expect(await ok(tokens.revoked() as never)).toEqual(['abc']);
    const limit = { key: 'address', limit: 1, windowMs: 3_600_000 };
    expect(await codeOf(tokens.admit([limit]) as never)).toBe('rate_limited');
    const digest = stored[`./schemas/tokens-${version}.json`]?.tables.minted?.[0]?.body_digest as string;
    const again = tokens.mintOnce('root\nmint', digest, { jti: 'another', exp: 0 });
    expect(await ok(again as never)).toMatchObject({ jti: (minted as { jti: string }).jti });
  });

  it.each(versionsOf(workflowMigrations))('in a workflow with schema %i is there', async (version) => {
    const { id } = await opened('workflow', WORKFLOW, workflowMigrations, version);
    const workflow = workflowObject(testEnv, id as WorkflowId);
    const owner = principal('owner-of-then');
    expect(await ok(workflow.view(owner))).toMatchObject({
      state: 'STARTED',
      total: 3,
      succeeded: 1,
      failed: 0,
      running: 1,
    });
  });
});
