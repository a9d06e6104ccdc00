/** What every engine runs. Nothing here or in the cases needs more than ECMAScript, WebAssembly, base64 and UTF-8. */
import { kernels } from '../cases/index.ts';
import type { ResumableCase, Run } from '../cases/index.ts';
import { digestOf } from './digest.ts';

/** sha-256 in hex by kernel and case. */
export type Digests = Record<string, Record<string, string>>;

/** Name of the digest of the snapshot at a stop of a case. */
export const snapshotName = (name: string, stop: number): string => `${name}, snapshot after ${stop}`;

/** Takes the run to `stop` steps, which is before its end. */
function advance(run: Run, from: number, stop: number): void {
  for (let step = from; step < stop; step++) {
    if (run.done) throw new Error(`It is done after ${step} steps and cannot stop after ${stop}.`);
    run.step();
  }
  if (run.done) throw new Error(`It is done after ${stop} steps, so that nothing is left to go on with.`);
}

function complete(run: Run): string {
  while (!run.done) run.step();
  return digestOf(run.result());
}

/**
 * One leg of a case that stops: from the stop before (or the begin) to stop `index`, or to the end behind the last stop.
 * Gives the snapshot there, or the digest of the result.
 */
export function runLeg(
  module: WebAssembly.Module,
  work: ResumableCase,
  index: number,
  snapshot: Uint8Array | undefined,
): Uint8Array | string {
  const run = work.open(module, snapshot);
  const stop = work.stops[index];
  if (stop === undefined) return complete(run);
  advance(run, work.stops[index - 1] ?? 0, stop);
  return run.snapshot();
}

/** The digests of the result and of each snapshot on the way to it. */
function resumableDigests(module: WebAssembly.Module, name: string, work: ResumableCase): Record<string, string> {
  const whole = complete(work.open(module));
  const digests: Record<string, string> = { [name]: whole };
  let snapshot: Uint8Array | undefined;
  for (const [index, stop] of work.stops.entries()) {
    snapshot = runLeg(module, work, index, snapshot) as Uint8Array;
    digests[snapshotName(name, stop)] = digestOf([snapshot]);
  }
  if (runLeg(module, work, work.stops.length, snapshot) !== whole) {
    throw new Error('Stopping and going on has changed the result.');
  }
  return digests;
}

/** The digests of one case. @throws Error naming it when it fails. */
export async function caseDigests(module: WebAssembly.Module, kernel: string, name: string): Promise<Digests[string]> {
  const work = kernels[kernel]?.[name];
  try {
    if (work === undefined) throw new Error('There is no such case.');
    return typeof work === 'function' ? { [name]: digestOf(await work(module)) } : resumableDigests(module, name, work);
  } catch (error) {
    throw new Error(`${kernel}, ${name}: ${String(error)}`, { cause: error });
  }
}

/** Runs all cases of all kernels, or of `only` some. */
export async function allDigests(module: WebAssembly.Module, only = Object.keys(kernels)): Promise<Digests> {
  const digests: Digests = {};
  for (const kernel of only) {
    const ofKernel = (digests[kernel] = {});
    for (const name of Object.keys(kernels[kernel] ?? {})) {
      Object.assign(ofKernel, await caseDigests(module, kernel, name));
    }
  }
  return digests;
}
