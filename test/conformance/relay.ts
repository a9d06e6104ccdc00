import { kernels } from './cases/index.ts';
import type { Engine, LegEnd } from './engines/index.ts';
import { snapshotName, type Digests } from './program/conform.ts';
import { digestOf } from './program/digest.ts';

/**
 * Runs every case that stops, each leg on the next engine, which gets nothing but the snapshot. Gives the digests of the
 * snapshots and of the results.
 */
export async function relay(engines: readonly Engine[]): Promise<Digests> {
  const digests: Digests = {};
  let turn = 0;
  for (const [kernel, cases] of Object.entries(kernels)) {
    for (const [name, work] of Object.entries(cases)) {
      if (typeof work === 'function') continue;
      const ofKernel = (digests[kernel] ??= {});
      let snapshot: string | null = null;
      for (let index = 0; index <= work.stops.length; index++) {
        const engine = engines[turn++ % engines.length];
        if (engine === undefined) throw new Error('A relay needs an engine.');
        const end: LegEnd = await engine.leg({ kernel, name, index, snapshot });
        if ('digest' in end) ofKernel[name] = end.digest;
        else {
          ofKernel[snapshotName(name, work.stops[index] ?? 0)] = digestOf([Buffer.from(end.snapshot, 'base64')]);
          snapshot = end.snapshot;
        }
      }
    }
  }
  return digests;
}
