import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { tokenMigrations } from '../../edge/auth/tokens.ts';
import { beatMigrations } from '../../edge/beat/schema.ts';
import { brokerMigrations } from '../../edge/broker/schema.ts';
import { migrations as campaignMigrations } from '../../edge/campaign/schema.ts';
import { migrations as fileMigrations } from '../../edge/files/schema.ts';
import { migrate, type Migration } from '../../edge/lib/migrate.ts';
import { Database } from '../../edge/lib/sql.ts';
import { monitorMigrations } from '../../edge/monitor/store.ts';
import { workflowMigrations } from '../../edge/workflow/schema.ts';
import { BrokerWorld } from './helpers/broker.ts';

/** An empty database. */
function inEmptyDatabase<T>(run: (database: Database) => T): Promise<T> {
  const world = new BrokerWorld();
  return runInDurableObject(world.stub, async (_, state) => {
    await state.storage.deleteAll();
    return run(new Database(state.storage));
  });
}

function schemaOf(database: Database): unknown[] {
  return database.all(
    `SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY type, name`,
  );
}

describe.each<[string, readonly Migration[]]>([
  ['beat', beatMigrations],
  ['broker', brokerMigrations],
  ['campaign', campaignMigrations],
  ['files', fileMigrations],
  ['monitor', monitorMigrations],
  ['tokens', tokenMigrations],
  ['workflow', workflowMigrations],
])('the schema of the %s', (_, migrations) => {
  it('is the same, fresh or upgraded from any earlier one', async () => {
    const fresh = await inEmptyDatabase((database) => {
      migrate(database, migrations);
      return schemaOf(database);
    });
    for (let known = 0; known <= migrations.length; known++) {
      const upgraded = await inEmptyDatabase((database) => {
        migrate(database, migrations.slice(0, known));
        migrate(database, migrations);
        return schemaOf(database);
      });
      expect(upgraded).toEqual(fresh);
    }
  });
});

describe('migrating', () => {
  const steps: Migration[] = [
    { id: 1, sql: 'CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);' },
    { id: 2, sql: 'ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1;' },
  ];

  it('applies each step once, and keeps what is stored', async () => {
    const rows = await inEmptyDatabase((database) => {
      migrate(database, steps.slice(0, 1));
      migrate(database, steps);
      migrate(database, steps);
      return database.all('SELECT x, y FROM a');
    });
    expect(rows).toEqual([{ x: 1, y: 2 }]);
  });

  it('leaves nothing when a step fails, so that the version before can go on', async () => {
    await inEmptyDatabase((database) => {
      migrate(database, steps.slice(0, 1));
      const before = schemaOf(database);
      const broken = [...steps, { id: 3, sql: 'CREATE TABLE b (x INTEGER); SELECT nonsense;' }];
      expect(() => migrate(database, broken)).toThrow('nonsense');
      expect(schemaOf(database)).toEqual(before);
      migrate(database, steps.slice(0, 1));
      migrate(database, steps);
      expect(database.all('SELECT x, y FROM a')).toEqual([{ x: 1, y: 2 }]);
    });
  });

  it('refuses a database of a newer version, and leaves it alone', async () => {
    await inEmptyDatabase((database) => {
      migrate(database, steps);
      expect(() => migrate(database, steps.slice(0, 1))).toThrow('its schema is 2, and this version knows 1');
      expect(database.all('SELECT x, y FROM a')).toEqual([{ x: 1, y: 2 }]);
    });
  });

  it('refuses a list with a gap', async () => {
    await inEmptyDatabase((database) => {
      expect(() => migrate(database, [{ id: 2, sql: '' }])).toThrow('out of order');
    });
  });
});
