import { limits, type Assignment, type Json, type Snapshot, type TaskId } from '#protocol';
import type { Core } from './core.ts';
import { timeLimitsOf } from './flow/time-limits.ts';
import type { Taker } from './takers.ts';
import type { TaskArguments } from './task-record.ts';

type Receiver = Pick<Taker, 'given' | 'kernelDigest'>;

/** A taker’s new tasks, each without its arguments, and these as they are stored, `{"args":…,"kwargs":…}`. */
function* given(core: Core, taker: Receiver): Generator<[Omit<Assignment, 'args' | 'kwargs'>, string]> {
  const texts = core.tasks.argumentsOf(taker.given.map(({ record }) => record.id));
  for (const { record, lease } of taker.given) {
    const head = {
      task_id: record.id,
      attempt: lease.attempt,
      task: record.task,
      queue: core.lanes.queueOf(record.lane),
      priority: record.priority,
      retries: record.retries,
      owner: record.owner,
      soft_time_limit_ms: timeLimitsOf(core, record).softMs,
      time_limit_ms: lease.limitMs,
      snapshot: record.attempt === 0 ? null : snapshotFor(core, record.id, taker.kernelDigest),
    };
    yield [head, texts.get(record.id) ?? '{"args":[],"kwargs":{}}'];
  }
}

/** What a taker is told of the tasks that it was given. */
export function assignments(core: Core, taker: Receiver): Assignment[] {
  return Array.from(given(core, taker), ([head, text]) => ({ ...head, ...(JSON.parse(text) as TaskArguments) }));
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

/** The same as texts of `tasks` frames, split so that each fits one. Arguments go through as they are stored, for reading and writing them anew takes long. */
export function taskFrames(core: Core, taker: Receiver): string[] {
  const frames: string[][] = [];
  let chars = Infinity;
  for (const [head, text] of given(core, taker)) {
    const item = `${text.slice(0, -1)},${JSON.stringify(head).slice(1)}`;
    const frame = frames.at(-1);
    if (frame === undefined || frame.length >= limits.maxTasksPerFrame || chars + item.length > maxItemsChars) {
      frames.push([item]);
      chars = item.length;
    } else {
      frame.push(item);
      chars += item.length;
    }
  }
  return frames.map((items) => `{"type":"tasks","items":[${items.join(',')}]}`);
}
