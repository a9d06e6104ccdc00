import { afterAll, describe, expect, it } from 'vitest';
import { differences, sameNames } from './compare.ts';
import { Loopback, openEngine, usualEngines } from './engines/index.ts';
import { pinnedDigests } from './pinned.ts';
import { relay } from './relay.ts';

const loopback = await Loopback.start();
const pinned = await pinnedDigests();
const opened = usualEngines.map((name) => ({ name, engine: openEngine(name, loopback) }));
// One that cannot start fails its own test, not the whole run before it.
for (const { engine } of opened) engine.catch(() => undefined);

afterAll(async () => {
  const all = await Promise.allSettled(opened.map(({ engine }) => engine));
  for (const one of all) if (one.status === 'fulfilled') await one.value.close();
  await loopback.close();
});

describe('the same bits come', () => {
  it.each(opened)('from $name', async ({ engine }) => {
    expect(differences(await (await engine).digests(), pinned)).toEqual([]);
  });

  it('from work that goes from engine to engine as snapshots', async () => {
    const digests = await relay(await Promise.all(opened.map(({ engine }) => engine)));
    expect(Object.keys(digests)).toEqual(expect.arrayContaining(['mlp', 'cma-es']));
    expect(differences(digests, sameNames(pinned, digests))).toEqual([]);
  });
});
