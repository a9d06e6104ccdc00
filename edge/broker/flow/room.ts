import { TabgridError } from '#protocol';
import type { Core } from '../core.ts';
import type { NewTask } from '../rpc.ts';

/** When to try again: a queue that is full is rarely empty soon. */
const retryAfterSeconds = 5;

/** Tasks of a queue that have not begun. */
export function lengthOf(core: Core, queue: string): number {
  return core.lanes.ofQueue(queue).reduce((sum, { id }) => {
    const { waiting, scheduled } = core.counts.of(id);
    return sum + waiting + scheduled;
  }, 0);
}

/** @throws TabgridError `queue_full` when a queue has no room for its share of these tasks: then none is taken. */
export function checkRoom(core: Core, tasks: readonly NewTask[]): void {
  const coming = new Map<string, number>();
  for (const { queue } of tasks) coming.set(queue, (coming.get(queue) ?? 0) + 1);
  for (const [queue, count] of coming) {
    const { max_length: maxLength } = core.flow.queue(queue);
    if (maxLength === null) continue;
    core.tasks.flush();
    const length = lengthOf(core, queue);
    if (length + count <= maxLength) continue;
    throw new TabgridError(
      'queue_full',
      `queue: "${queue}" has room for ${Math.max(0, maxLength - length)} tasks, not for ${count}`,
      {
        retryAfterSeconds,
        details: { queue, length, max_length: maxLength },
      },
    );
  }
}
