import { sha256Hex, sortableId, type TaskId, type WorkflowId } from '#protocol';
import { bytesOfHash } from '../../lib/ids.ts';
import { homeShard } from '../../lib/shards.ts';
import type { Moment } from './types.ts';

/** A workflow’s names for its tasks: `3` is the step of node 3, `3.7` the eighth range of array 3, `3!` what its failure leads to. */
export type Ref =
  | { readonly kind: 'step'; readonly node: number }
  | { readonly kind: 'errback'; readonly node: number }
  | { readonly kind: 'range'; readonly node: number; readonly index: number };

export function refText(ref: Ref): string {
  if (ref.kind === 'range') return `${ref.node}.${ref.index}`;
  return ref.kind === 'step' ? String(ref.node) : `${ref.node}!`;
}

export function parseRef(text: string): Ref | null {
  const found = /^(\d+)(?:(!)|\.(\d+))?$/.exec(text);
  if (found === null) return null;
  const node = Number(found[1]);
  if (found[3] !== undefined) return { kind: 'range', node, index: Number(found[3]) };
  return { kind: found[2] === undefined ? 'step' : 'errback', node };
}

/** The ref of the task that stands for the workflow. */
export const wholeRef = 'workflow';

/**
 * A task’s shard, among those that take new tasks, and the part of its id behind the time follow from the workflow and the ref alone; tasks of one moment sort by node and range. The time
 * is that of its submission, so that an array of a million items does not go before all that others submit while it runs.
 *
 * @param home whose home shard the task must go to; absent where any will do
 */
export function taskIdOf(workflowId: WorkflowId, ref: string, { nowMs, shards }: Moment, home?: string): TaskId {
  const hash = sha256Hex(`${workflowId} ${ref}`);
  const bytes = bytesOfHash(hash);
  const parsed = parseRef(ref);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, parsed?.node ?? 0);
  view.setUint8(2, parsed?.kind === 'range' ? parsed.index >> 16 : 0);
  view.setUint16(3, parsed?.kind === 'range' ? parsed.index & 0xffff : 0);
  return `${homeShard(home ?? hash, shards)}-${sortableId(nowMs, bytes)}` as TaskId;
}
