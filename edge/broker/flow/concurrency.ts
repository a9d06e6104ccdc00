import type { Core } from '../core.ts';
import type { Lane } from '../lanes.ts';

/**
 * True when as many tasks run as the lane’s concurrency limit allows. What runs is what is out on lease, so that it is exact after anything.
 * @param planned further ones that are about to be given out
 */
export function isFull(core: Core, lane: Lane, planned = 0): boolean {
  if (lane.concurrency === null) return false;
  const running = core.lanes.sharing(lane).reduce((sum, { id }) => sum + core.leases.countOfLane(id), 0);
  return running + planned >= lane.concurrency.limit;
}

/** A place under the lane’s concurrency limit may be free: lanes that waited for it have their turn again. */
export function releaseSharing(core: Core, lane: Lane): void {
  for (const sharing of core.lanes.sharing(lane)) core.ready.release(sharing);
}
