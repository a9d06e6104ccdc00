import type { WorkflowProgress, WorkflowView } from '#protocol';
import type { ProgressRow } from './progress-display.ts';

/** A workflow as a row of progress. */
export function workflowRow(view: Omit<WorkflowView, 'result'>): ProgressRow {
  const { total, succeeded, failed } = view;
  const isOver = view.finished_at !== null;
  return {
    label: view.labels[0] ?? 'workflow',
    fraction: isOver ? 1 : total === 0 ? 0 : (succeeded + failed) / total,
    detail: `${callsOf(view)}  ${isOver ? view.state.toLowerCase() : `${view.running} running`}`,
  };
}

/** How many calls are over, and how. */
export function callsOf({ total, succeeded, failed }: WorkflowProgress): string {
  const over = `${String(succeeded).padStart(String(total).length)} of ${total}`;
  return failed === 0 ? over : `${over}, ${failed} failed`;
}
