import { readFileSync } from 'node:fs';
import { unstable_readConfig as readConfig } from 'wrangler';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const source = (path: string): string => readFileSync(new URL(path, root), 'utf8');
/** The part of wrangler’s own type that is looked at; its declaration needs packages that it does not bring. */
interface WranglerConfig {
  durable_objects: { bindings: { name: string; class_name: string }[] };
  r2_buckets: { binding: string }[];
  migrations: { new_sqlite_classes?: string[] }[];
  assets?: { binding?: string; run_worker_first?: string[] };
}

const configPath = new URL('wrangler.toml', root).pathname;
const config = readConfig({ config: configPath }, { hideWarnings: true }) as unknown as WranglerConfig;

/** The members of the interface `Env`. */
const named = [...source('edge/env.ts').matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name);

describe('wrangler.toml', () => {
  it('binds, or tells how to set, every member of Env that Cloudflare has', () => {
    const bound = [
      ...config.durable_objects.bindings.map(({ name }) => name),
      ...config.r2_buckets.map(({ binding }) => binding),
      config.assets?.binding,
    ];
    const told = [...source('wrangler.toml').matchAll(/^#.*?\b(TABGRID_\w+)/gm)].map(([, name]) => name);
    // The file service is only there on one’s own machine, in place of the bucket.
    expect(named.filter((name) => name !== 'BLOBS').sort()).toEqual([...new Set([...bound, ...told])].sort());
  });

  it('creates every object class with SQLite, and the entry exports it', () => {
    const classes = config.durable_objects.bindings.map(({ class_name }) => class_name);
    expect(config.migrations.flatMap(({ new_sqlite_classes = [] }) => new_sqlite_classes).sort()).toEqual(
      classes.sort(),
    );
    const exported = [...source('edge/index.ts').matchAll(/^export \{ (\w+) \}/gm)].map(([, name]) => name);
    expect(exported).toEqual(expect.arrayContaining(classes));
  });

  it('sends to the Worker what the Worker takes for its own', () => {
    const [, alternatives = ''] = /apiPath = \/\^\\\/\(\?:(.*)\)\$\//.exec(source('edge/index.ts')) ?? [];
    const taken = alternatives.split('|').map((path) => `/${path.replace('(?:\\/.*)?', '/*').replaceAll('\\', '')}`);
    expect(config.assets?.run_worker_first).toEqual(taken);
  });
});
