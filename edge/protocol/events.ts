import type { CampaignId, TaskId, WorkerId, WorkflowId } from './ids.ts';
import type { Json } from './json.ts';

/** Celery’s event names, and ours for campaigns and workflows. */
export const eventTypes = [
  'task-sent',
  'task-received',
  'task-started',
  'task-progress',
  'task-succeeded',
  'task-failed',
  'task-retried',
  'task-revoked',
  'worker-online',
  'worker-heartbeat',
  'worker-offline',
  'campaign-started',
  'campaign-progress',
  'campaign-iteration',
  'campaign-paused',
  'campaign-resumed',
  'campaign-finished',
  'workflow-started',
  'workflow-progress',
  'workflow-finished',
] as const;

export type EventType = (typeof eventTypes)[number];

/**
 * One event as `GET /v1/events` sends it. `seq` grows without holes within a shard; a client resumes with `?shard=<shard>&after=<seq>`.
 */
export interface GridEvent {
  seq: number;
  /** The Broker shard whose log it is in. */
  shard?: number;
  type: EventType;
  time: string;
  task_id?: TaskId;
  task?: string;
  /** Of a task’s events. */
  queue?: string;
  /** Of a task’s events, if the task has any. */
  labels?: readonly string[];
  worker?: WorkerId;
  campaign_id?: CampaignId;
  workflow_id?: WorkflowId;
  /** What the type is about: progress, error, iteration … */
  data?: Json;
}
