import { isoTime, type Json, type TaskId, type WorkflowView } from '#protocol';
import type { WorkflowCore } from './types.ts';

/** Who started a workflow, and the task that stands for it. */
export interface Registration {
  readonly owner: string;
  readonly taskId: TaskId;
}

export function viewOf(core: WorkflowCore, { owner, taskId }: Registration, result: Json): WorkflowView {
  return {
    workflow_id: core.workflowId,
    task_id: taskId,
    owner,
    state: core.state,
    ...core.progress,
    result,
    error: core.error,
    labels: [...core.labels],
    created_at: isoTime(core.createdMs),
    finished_at: core.finishedMs === null ? null : isoTime(core.finishedMs),
  };
}
