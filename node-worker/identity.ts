import { randomBytes } from 'node:crypto';
import { arch, hostname, platform } from 'node:os';
import type { WorkerId } from '#protocol';

/** Unlike that of any other process, over restarts too: what an earlier one held is not this one’s. */
export function newWorkerId(name: string): WorkerId {
  return `${name}:${process.pid}-${randomBytes(6).toString('hex')}` as WorkerId;
}

/** For the worker table. @param gpuAdapter null without a GPU */
export function describeHost(gpuAdapter: string | null): string {
  const host = `Node ${process.versions.node} on ${hostname()} (${platform()} ${arch()})`;
  return (gpuAdapter === null ? host : `${host}, GPU: ${gpuAdapter}`).slice(0, 300);
}
