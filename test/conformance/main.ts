import { differences, sameNames } from './compare.ts';
import { Loopback, openEngine, type Engine, type EngineName } from './engines/index.ts';
import { pinDigests, pinnedDigests } from './pinned.ts';
import type { Digests } from './program/conform.ts';
import { relay } from './relay.ts';

export { everyEngine, usualEngines } from './engines/index.ts';

export interface Options {
  readonly names: readonly EngineName[];
  /** Pin what Node computes. */
  readonly update: boolean;
}

function report(who: string, computed: Digests, expected: Digests): boolean {
  const different = differences(computed, expected);
  console.log(`${who}: ${different.length === 0 ? 'equal' : `${different.length} different`}`);
  for (const one of different) console.log(`  ${one}`);
  return different.length === 0;
}

async function compare(open: readonly Engine[]): Promise<boolean> {
  const pinned = await pinnedDigests();
  let equal = true;
  for (const engine of open) {
    equal = report(`${engine.name} ${engine.version}`, await engine.digests(), pinned) && equal;
  }
  if (open.length === 1) return equal;
  const digests = await relay(open);
  return report('from engine to engine', digests, sameNames(pinned, digests)) && equal;
}

/** Computes every digest on these engines, and in a relay through them, and prints how they compare. Gives whether all are equal. */
export async function run({ names, update }: Options): Promise<boolean> {
  const loopback = await Loopback.start();
  const open: Engine[] = [];
  try {
    if (update) {
      await pinDigests(await (await openEngine('node', loopback)).digests());
      console.log('Pinned in test/conformance/digests.json what Node computes.');
    }
    for (const name of names) open.push(await openEngine(name, loopback));
    return await compare(open);
  } finally {
    await Promise.all(open.map((engine) => engine.close()));
    await loopback.close();
  }
}
