import type { GpuOpening } from '../../gpu/index.ts';
import type { TrainingSet } from '../contract.ts';
import type { CheckedMlpOptions } from '../options.ts';
import { layoutOf } from './layout.ts';
import type { Layout } from './layout.ts';

/** Indices of items with equal keys, in the order of the items. */
export function groupIndices<T>(items: readonly T[], keyOf: (item: T) => string): number[][] {
  const groups = new Map<string, number[]>();
  items.forEach((item, index) => {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), index]);
  });
  return [...groups.values()];
}

/** Members that one lane trains: what differs between them is data. */
export const shapeKey = ({ hidden, activation }: CheckedMlpOptions): string => JSON.stringify([hidden, activation]);

/** Options that the shaders lack, in words; null when they have all that is asked for. */
function missingOption({ loss, dropout }: CheckedMlpOptions): string | null {
  if (loss !== 'squared_error') return `The GPU version has no loss "${loss}".`;
  if (dropout !== 0) return 'The GPU version has no dropout.';
  return null;
}

/** Why these members do not fit the device together, in words; null when they do. */
function missingRoom(
  data: TrainingSet,
  members: readonly CheckedMlpOptions[],
  limits: Pick<GPUSupportedLimits, 'maxStorageBufferBindingSize' | 'maxBufferSize'>,
): string | null {
  const layout: Layout = layoutOf(data, members);
  const room = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const largest = Math.max(layout.arenasBytes, layout.scratchBytes, layout.maxTablesBytes);
  if (largest <= room) return null;
  return `The group needs a buffer of ${largest} bytes; the device allows ${room}.`;
}

/** For each member what keeps it from the GPU, in words; null for those that nothing does. */
export function reasonsForWasm(
  gpu: GpuOpening,
  data: TrainingSet,
  members: readonly CheckedMlpOptions[],
): (string | null)[] {
  if (gpu.type === 'absent') return members.map(() => gpu.reason);
  const reasons = members.map(missingOption);
  for (const indices of groupIndices(members, shapeKey)) {
    const able = indices.filter((m) => reasons[m] === null);
    const reason =
      able.length === 0
        ? null
        : missingRoom(
            data,
            able.flatMap((m) => members[m] ?? []),
            gpu.device.limits,
          );
    for (const m of able) reasons[m] = reason;
  }
  return reasons;
}
