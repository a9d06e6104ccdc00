import { workflowFolder } from '#protocol';
import type { WorkflowCore } from './types.ts';

/** A node whose result waits to be written as a file, and where to. */
export function nextWriting(core: WorkflowCore): { node: number; path: string } | null {
  if (core.state !== 'STARTED') return null;
  const node = core.nodes.findIndex(({ phase }) => phase === 'writing');
  return node < 0 ? null : { node, path: `${placeOf(core, node)}.json` };
}

/** Where a range’s results go when they are more than a task’s result may be. */
export function rangePath(core: Pick<WorkflowCore, 'workflowId' | 'plan'>, node: number, from: number): string {
  return `${placeOf(core, node)}.${from}.json`;
}

function placeOf({ workflowId, plan }: Pick<WorkflowCore, 'workflowId' | 'plan'>, node: number): string {
  const place = plan[node]?.path ?? '';
  return `${workflowFolder(workflowId)}/${place === '' ? 'result' : place}`;
}
