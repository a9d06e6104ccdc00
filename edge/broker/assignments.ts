import { limits, type Assignment, type Json, type Snapshot, type TaskId } from '#protocol';
import type { Core } from './core.ts';
import type { Taker } from './takers.ts';
import type { TaskArguments } from './task-record.ts';

/** What a taker is told of the tasks that it was given. */
export function assignments(core: Core, taker: Pick<Taker, 'given' | 'kernelDigest'>): Assignment[] {
  const texts = core.tasks.argumentsOf(taker.given.map(({ record }) => record.id));
  return taker.given.map(({ record, lease }): Assignment => {
    const { args, kwargs } = JSON.parse(texts.get(record.id) ?? '{}') as TaskArguments;
    return {
      task_id: record.id,
      attempt: lease.attempt,
      task: record.task,
      args,
      kwargs,
      queue: core.lanes.queueOf(record.lane),
      priority: record.priority,
      retries: record.retries,
      owner: record.owner,
      soft_time_limit_ms: record.spec.soft_time_limit_ms,
      time_limit_ms: record.spec.time_limit_ms,
      snapshot: record.attempt === 0 ? null : snapshotFor(core, record.id, taker.kernelDigest),
    };
  });
}

/** Where an earlier attempt stopped. Other kernels would compute on differently, so they begin anew. */
function snapshotFor(core: Core, id: TaskId, kernelDigest: string): Snapshot | null {
  const text = core.tasks.payload(id, 'snapshot');
  if (text === undefined) return null;
  const snapshot = JSON.parse(text) as Json as Snapshot;
  return snapshot.kernel_digest === kernelDigest ? snapshot : null;
}

/** Half of what a frame may have, so that its other parts have room. */
const maxItemsChars = limits.maxFrameBytes / 2;

/** Split so that each part fits a frame. */
export function framesOf(items: readonly Assignment[]): Assignment[][] {
  const frames: Assignment[][] = [];
  let chars = 0;
  for (const item of items) {
    const itemChars = JSON.stringify(item.kwargs).length + (item.snapshot?.data.length ?? 0);
    const frame = frames.at(-1);
    if (frame === undefined || frame.length >= limits.maxTasksPerFrame || chars + itemChars > maxItemsChars) {
      frames.push([item]);
      chars = itemChars;
    } else {
      frame.push(item);
      chars += itemChars;
    }
  }
  return frames;
}
