import type { TaskId } from '#protocol';
import { mayWiden } from './arrays.ts';
import type { WorkflowCore } from './types.ts';

/** Tasks that are under way, those of `link_error` too. */
export function openTasks({ nodes }: Pick<WorkflowCore, 'nodes'>): TaskId[] {
  return nodes.flatMap(({ phase, taskId, array, errback }) => [
    ...(phase === 'running' && taskId !== undefined ? [taskId] : []),
    ...(phase === 'running' ? (array?.open.map((range) => range.taskId) ?? []) : []),
    ...(errback?.state === 'running' ? [errback.taskId] : []),
  ]);
}

/** Whether arrays could have more under way after a while. */
export function wantsToWiden({ state, plan, nodes }: WorkflowCore): boolean {
  if (state !== 'STARTED') return false;
  return plan.some(({ what }, id) => {
    const node = nodes[id];
    if (what.kind !== 'array' || node?.phase !== 'running' || node.array === undefined) return false;
    return node.error === undefined && mayWiden(what.array, node.array);
  });
}
