import type { RunsOn, TaskType } from '#catalog';
import type {
  Assignment,
  CampaignView,
  ErrorCode,
  JsonObject,
  TaskId,
  TaskTypeSettings,
  WorkflowView,
} from '#protocol';
import type { EdgeConfig } from '../config.ts';
import { omit } from '../lib/omit.ts';
import { asObject, jsonSchemaOf } from './json-schema.ts';

/** A campaign in a list: without what grows with it. */
export type CampaignSummary = Omit<CampaignView, 'spec' | 'history'>;

export function campaignSummary(view: CampaignView): CampaignSummary {
  return omit(view, 'spec', 'history');
}

/** A workflow in a list: without what may be large. */
export type WorkflowSummary = Omit<WorkflowView, 'result'>;

export function workflowSummary(view: WorkflowView): WorkflowSummary {
  return omit(view, 'result');
}

/** A lease over plain HTTP: an assignment of the worker protocol, with durations in seconds. Its id is the task’s. */
export interface LeaseView extends Omit<Assignment, 'soft_time_limit_ms' | 'time_limit_ms'> {
  lease_id: TaskId;
  soft_time_limit: number;
  time_limit: number;
}

export function leaseView(assignment: Assignment): LeaseView {
  const { soft_time_limit_ms: softMs, time_limit_ms: hardMs, ...rest } = assignment;
  return { lease_id: rest.task_id, ...rest, soft_time_limit: softMs / 1000, time_limit: hardMs / 1000 };
}

/** A task type as `GET /v1/task-types` tells it; durations in seconds. */
export interface TaskTypeView {
  name: string;
  aliases: readonly string[];
  summary: string;
  queue: string;
  priority: number;
  runs_on: readonly RunsOn[];
  verifiable: boolean;
  positional: readonly string[];
  kwargs: JsonObject;
  result: JsonObject;
  soft_time_limit: number;
  time_limit: number;
  max_retries: number;
  /** Over all workers; null for no limit. */
  rate_limit: string | null;
  /** The first delay between attempts; each further one is longer by the deployment’s factor, 2. */
  retry_backoff: number;
  retry_backoff_max: number;
  retry_jitter: boolean;
  /** Null: after errors that another attempt may mend. */
  retry_on: readonly ErrorCode[] | null;
  dont_retry_on: readonly ErrorCode[];
}

/** JSON Schema of what a type takes and gives: made once, because it takes some milliseconds. */
const schemasOfTypes = new WeakMap<TaskType, Pick<TaskTypeView, 'kwargs' | 'result'>>();

function schemasOf(type: TaskType): Pick<TaskTypeView, 'kwargs' | 'result'> {
  const known = schemasOfTypes.get(type);
  if (known !== undefined) return known;
  const made = { kwargs: asObject(jsonSchemaOf(type.kwargs, 'input')), result: jsonSchemaOf(type.result, 'output') };
  schemasOfTypes.set(type, made);
  return made;
}

/** @param settings what is set at run time; null for nothing */
export function taskTypeView(type: TaskType, config: EdgeConfig, settings: TaskTypeSettings | null): TaskTypeView {
  const { baseDelayMs, maxDelayMs, jitter } = { ...config.retry, ...type.retry };
  return {
    name: type.name,
    aliases: type.aliases,
    summary: type.summary,
    queue: type.queue,
    priority: type.priority,
    runs_on: type.runsOn,
    verifiable: type.verifiable,
    positional: type.positional,
    ...schemasOf(type),
    soft_time_limit: settings?.soft_time_limit ?? (type.softTimeLimitMs ?? config.softTimeLimitMs) / 1000,
    time_limit: settings?.time_limit ?? (type.timeLimitMs ?? config.timeLimitMs) / 1000,
    max_retries: type.maxRetries ?? config.maxRetries,
    rate_limit: settings?.rate_limit ?? null,
    retry_backoff: baseDelayMs / 1000,
    retry_backoff_max: maxDelayMs / 1000,
    retry_jitter: jitter,
    retry_on: type.retryOn ?? null,
    dont_retry_on: type.dontRetryOn ?? [],
  };
}
