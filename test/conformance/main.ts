import { differences } from './compare.ts';
import { allDigests } from './engine/conform.ts';
import { kernelModule, pinDigests, pinnedDigests } from './pinned.ts';

/** Computes every digest, and pins it or compares it with the pinned one. Gives whether all are equal. */
export async function run({ update }: { update: boolean }): Promise<boolean> {
  const digests = await allDigests(await kernelModule());
  if (update) {
    await pinDigests(digests);
    console.log('Pinned in test/conformance/digests.json what Node computes.');
    return true;
  }
  const different = differences(digests, await pinnedDigests());
  console.log(`node ${process.versions.node}: ${different.length === 0 ? 'equal' : 'different'}`);
  for (const one of different) console.log(`  ${one}`);
  return different.length === 0;
}
