import { z } from 'zod';
import {
  campaignSpecSchema,
  campaignStates,
  catchUpPolicies,
  capabilitiesSchema,
  errorCodes,
  eventTypes,
  jsonObjectSchema,
  jsonSchema,
  progressSchema,
  scheduledWorkSchema,
  scopes,
  snapshotSchema,
  taskErrorSchema,
  taskStates,
  timetableSchema,
  workflowStates,
  type CampaignIteration,
  type CampaignView,
  type ErrorBody,
  type FileView,
  type GridEvent,
  type Observation,
  type ParetoView,
  type ScheduleSummary,
  type ScheduleView,
  type Submitted,
  type TaskView,
  type WorkerView,
  type WorkflowStarted,
  type WorkflowView,
} from '#protocol';
import type { TokenView } from '../auth/mint.ts';
import type { BulkRevoked, EventPosition, QueueView, RetriedTask } from '../broker/rpc.ts';
import type { ObservationsTaken } from '../campaign/rpc.ts';
import type { UploadView } from '../files/rpc.ts';
import type { EventHistory } from './events.ts';
import type { CampaignSummary, LeaseView, TaskTypeView, WorkflowSummary } from './views.ts';

/** Describes an answer for the reference. A member that is missing, or one too many, does not compile. */
function describe<View>(shape: { [Member in keyof View]-?: z.ZodType }): z.ZodObject {
  return z.object(shape);
}

/** A page of a list: `next_cursor` is null on the last one. */
function page(name: string, item: z.ZodType): z.ZodObject {
  return z.object({ [name]: z.array(item), next_cursor: z.string().nullable() });
}

const time = z.iso.datetime();
const numbers = z.record(z.string(), z.number());
const best = z.object({ inputs: numbers, values: numbers }).nullable();

const error = describe<ErrorBody>({
  error: z.object({
    code: z.enum(Object.keys(errorCodes) as [string, ...string[]]),
    message: z.string(),
    details: jsonObjectSchema.optional(),
  }),
});

const submitted = describe<Submitted>({ task_id: z.string(), state: z.enum(taskStates), queue: z.string() });

const attempt = describe<TaskView['attempts'][number]>({
  attempt: z.int(),
  worker: z.string(),
  started_at: time,
  ended_at: time.nullable(),
  outcome: z.enum(['success', 'failure', 'released', 'revoked', 'lost']).nullable(),
});

const task = describe<TaskView>({
  task_id: z.string(),
  task: z.string(),
  args: z.array(jsonSchema),
  kwargs: jsonObjectSchema,
  state: z.enum(taskStates),
  queue: z.string(),
  priority: z.int(),
  result: jsonSchema,
  error: taskErrorSchema.nullable(),
  progress: progressSchema.nullable(),
  retries: z.int(),
  attempts: z.array(attempt),
  worker: z.string().nullable(),
  created_at: time,
  eta: time.nullable(),
  started_at: time.nullable(),
  finished_at: time.nullable(),
  runtime: z.number().nullable().describe('Seconds of the attempt that ended it.'),
  labels: z.array(z.string()),
  retry_of: z.string().nullable(),
  parent: z
    .union([
      z.object({ workflow_id: z.string() }),
      z.object({ campaign_id: z.string() }),
      z.object({ schedule: z.string(), tick: time.nullable() }),
    ])
    .nullable(),
  owner: z.string(),
});

const observation = describe<Observation>({ index: z.int(), inputs: numbers, values: numbers.nullable() });

const iteration = describe<CampaignIteration>({
  iteration: z.int(),
  evaluated: z.int(),
  best,
  hypervolume: z.number().nullable(),
  surrogate: z.object({ kind: z.string(), validation: jsonObjectSchema }).nullable(),
  proposed: z.array(numbers),
  seconds: z.number(),
});

const campaignMembers = {
  campaign_id: z.string(),
  task_id: z.string(),
  name: z.string(),
  owner: z.string(),
  state: z.enum(campaignStates),
  reason: z.string().nullable(),
  progress: z.object({ evaluated: z.int(), budget: z.int(), fraction: z.number(), step: z.string() }),
  best,
  model_paths: z.array(z.string()),
  created_at: time,
  finished_at: time.nullable(),
};

const campaign = describe<CampaignView>({
  ...campaignMembers,
  spec: campaignSpecSchema,
  history: z.array(iteration),
});

const workflowMembers = {
  workflow_id: z.string(),
  task_id: z.string().describe('The task that stands for it.'),
  owner: z.string(),
  state: z.enum(workflowStates),
  total: z.int().describe('Calls: each item of an array is one.'),
  succeeded: z.int(),
  failed: z.int(),
  running: z.int(),
  error: z
    .object({ ...taskErrorSchema.shape, task_id: z.string().nullable(), path: z.string() })
    .nullable()
    .describe('The first failure, with its place in the canvas.'),
  labels: z.array(z.string()),
  created_at: time,
  finished_at: time.nullable(),
};

const workflow = describe<WorkflowView>({
  ...workflowMembers,
  result: jsonSchema.describe('Null until SUCCESS; `{"file": path}` where it is large.'),
});

const scheduleMembers = {
  name: z.string(),
  owner: z.string(),
  task: z.string(),
  schedule: timetableSchema,
  enabled: z.boolean(),
  catch_up: z.enum(catchUpPolicies),
  last_run: time.nullable(),
  next_run: time.nullable().describe('Null when it pauses or nothing comes any more.'),
  total_runs: z.int(),
  last_task_id: z.string().nullable(),
  last_error: z.string().nullable().describe('Why the last tick could not be submitted.'),
  created_at: time,
  updated_at: time,
};

const schedule = describe<ScheduleView>({
  ...scheduleMembers,
  signature: scheduledWorkSchema,
  next_runs: z.array(time).describe('The next five.'),
});

const file = describe<FileView>({
  path: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  content_type: z.string(),
  owner: z.string(),
  created_at: time,
});

const upload = describe<UploadView>({
  upload_id: z.string(),
  path: z.string(),
  content_type: z.string(),
  parts: z.array(z.object({ part: z.int(), sha256: z.string(), bytes: z.int() })),
  file: file.nullable(),
  expires_at: time,
});

const queue = describe<QueueView>({
  queue: z.string(),
  waiting: z.int(),
  scheduled: z.int(),
  running: z.int(),
  oldest_age: z.number().nullable().describe('Seconds.'),
  paused: z.boolean(),
  rate_limit: z.string().nullable(),
  max_length: z.int().nullable(),
});

const worker = describe<WorkerView>({
  worker_id: z.string(),
  name: z.string(),
  owner: z.string(),
  state: z.enum(['online', 'offline']),
  queues: z.array(z.string()),
  concurrency: z.int(),
  capabilities: capabilitiesSchema,
  trusted: z.boolean(),
  kernel_digest: z.string(),
  connected_at: time,
  last_heartbeat_at: time,
  active: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  busy_seconds: z.number(),
});

const event = describe<GridEvent>({
  seq: z.int(),
  shard: z.int().optional(),
  type: z.enum(eventTypes),
  time,
  task_id: z.string().optional(),
  task: z.string().optional(),
  queue: z.string().optional(),
  labels: z.array(z.string()).optional(),
  worker: z.string().optional(),
  campaign_id: z.string().optional(),
  workflow_id: z.string().optional(),
  data: jsonSchema.optional(),
});

const eventPosition = describe<EventPosition>({
  shard: z.int(),
  oldest_seq: z.int(),
  newest_seq: z.int(),
  seq: z.int().describe('The last one that this page looked at.'),
});

const taskType = describe<TaskTypeView>({
  name: z.string(),
  aliases: z.array(z.string()),
  summary: z.string(),
  queue: z.string(),
  priority: z.int(),
  runs_on: z.array(z.enum(['edge', 'tab', 'node', 'object'])),
  verifiable: z.boolean(),
  positional: z.array(z.string()),
  kwargs: jsonObjectSchema.describe('JSON Schema of the keyword arguments.'),
  result: jsonObjectSchema.describe('JSON Schema of the result.'),
  soft_time_limit: z.number(),
  time_limit: z.number(),
  max_retries: z.int(),
  rate_limit: z.string().nullable(),
  retry_backoff: z.number().describe('Seconds before the second attempt; then longer and longer.'),
  retry_backoff_max: z.number(),
  retry_jitter: z.boolean(),
  retry_on: z.array(z.string()).nullable().describe('Null: after errors that another attempt may mend.'),
  dont_retry_on: z.array(z.string()),
});

const lease = describe<LeaseView>({
  lease_id: z.string().describe('The task’s id.'),
  task_id: z.string(),
  attempt: z.int(),
  task: z.string(),
  args: z.array(jsonSchema),
  kwargs: jsonObjectSchema,
  queue: z.string(),
  priority: z.int(),
  retries: z.int(),
  owner: z.string(),
  soft_time_limit: z.number().describe('Seconds.'),
  time_limit: z.number().describe('Seconds.'),
  snapshot: snapshotSchema.nullable(),
});

const token = describe<TokenView>({
  token: z.string(),
  jti: z.string(),
  sub: z.string(),
  scope: z.array(z.enum(scopes)),
  expires_at: time,
});

/** The named schemas of the reference. */
export const components = {
  Error: error,
  Submitted: z.union([submitted, z.object({ tasks: z.array(submitted) })]),
  Task: task,
  TaskPage: page('tasks', task),
  BulkRevoked: describe<BulkRevoked>({ revoked: z.int(), next_cursor: z.string().nullable() }),
  BulkRetried: page(
    'tasks',
    describe<RetriedTask>({ task_id: z.string(), state: z.enum(taskStates), queue: z.string(), retry_of: z.string() }),
  ),
  Workflow: workflow,
  WorkflowPage: page('workflows', describe<WorkflowSummary>(workflowMembers)),
  WorkflowStarted: describe<WorkflowStarted>({ workflow_id: z.string(), task_id: z.string() }),
  Campaign: campaign,
  CampaignPage: page('campaigns', describe<CampaignSummary>(campaignMembers)),
  CampaignStarted: z.object({ campaign_id: z.string(), task_id: z.string() }),
  ObservationsTaken: describe<ObservationsTaken>({ accepted: z.int(), total: z.int() }),
  Pareto: describe<ParetoView>({ front: z.array(observation), hypervolume: z.number(), reference: numbers }),
  Schedule: schedule,
  SchedulePage: page('schedules', describe<ScheduleSummary>(scheduleMembers)),
  File: file,
  FilePage: page('files', file),
  Upload: upload,
  UploadPart: z.object({ part: z.int(), sha256: z.string(), bytes: z.int() }),
  Queues: z.object({ queues: z.array(queue) }),
  Queue: queue,
  Purged: z.object({ queue: z.string(), purged: z.int() }),
  Workers: z.object({ workers: z.array(worker) }),
  Shards: z.object({
    shards: z.array(
      z.object({
        shard: z.int(),
        state: z.enum(['active', 'draining', 'drained']),
        unfinished: z.int().describe('Tasks that are not final.'),
        has_tasks: z.boolean().describe('Any, with final ones that are kept for their results.'),
        has_unsent: z.boolean().describe('Messages to campaigns, workflows and others that have not arrived.'),
        workers_online: z.int(),
        database_bytes: z.int(),
      }),
    ),
  }),
  EventHistory: describe<EventHistory>({
    events: z.array(event),
    next_cursor: z.string().nullable(),
    positions: z.array(eventPosition),
  }),
  TaskTypes: z.object({ task_types: z.array(taskType) }),
  TaskType: taskType,
  Leases: z.object({ leases: z.array(lease) }),
  LeaseRenewed: z.object({ expires_in: z.number().describe('Seconds.') }),
  Reported: z.object({ status: z.literal('recorded') }),
  WorkerAnswers: z.object({
    replies: z.array(
      z.object({
        worker_id: z.string().nullable().describe('Null for tasks that no worker has.'),
        name: z.string().nullable(),
        reply: jsonSchema.optional(),
        error: z.string().optional().describe('Why it does not do it.'),
      }),
    ),
    silent: z.array(z.string()).describe('Connected workers that did not answer in time.'),
    unknown: z.array(z.string()).describe('What was asked for and is no worker.'),
  }),
  ControlReply: z.object({ worker_id: z.string(), reply: jsonSchema }),
  Token: token,
  Invite: z.object({ url: z.string(), token: z.string(), jti: z.string(), expires_at: time }),
  Challenge: z.object({ challenge: z.string(), expires_at: time }),
  Revoked: z.object({ jti: z.string() }),
  Health: z.object({ status: z.literal('ok') }),
} as const satisfies Record<string, z.ZodType>;

export type ComponentName = keyof typeof components;
