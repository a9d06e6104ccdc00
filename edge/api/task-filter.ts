import { z } from 'zod';
import {
  campaignIdSchema,
  errorCodes,
  limits,
  taskStates,
  timeSchema,
  workflowIdSchema,
  type ErrorCode,
  type TaskState,
} from '#protocol';
import type { TaskQuery } from '../broker/rpc.ts';
import { definedMembers } from './route.ts';

/** Which tasks are meant: what is absent does not narrow. */

const name = z.string().max(limits.maxNameChars);
const label = z.string().max(limits.maxLabelChars);

const members = {
  task: name.optional(),
  queue: name.optional(),
  worker: name.optional(),
  label: label.optional(),
  error: z
    .enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]])
    .optional()
    .describe('The code of the task’s error.'),
  campaign_id: campaignIdSchema.optional(),
  workflow_id: workflowIdSchema.optional(),
  since: timeSchema.optional().describe('Submitted then or later.'),
  until: timeSchema.optional().describe('Submitted before.'),
};

/** One state, or several separated by commas. */
const stateList = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(taskStates)).min(1));

/** As a request’s body. An empty one would mean every task, which must be said. */
export const taskFilterShape = {
  ...members,
  labels: z.array(label).min(1).max(limits.maxLabels).optional().describe('All of these.'),
  state: z.union([z.enum(taskStates), z.array(z.enum(taskStates)).min(1)]).optional(),
};

/** As it stands in the address of a list. */
export const listTasksQuery = z.strictObject({
  ...members,
  state: stateList.optional(),
  order: z.enum(['newest', 'oldest']).optional(),
  limit: z.coerce.number().int().min(1).max(limits.maxPageSize).default(limits.defaultPageSize),
  cursor: z.string().max(2000).optional(),
});

type Filter = { [Name in keyof typeof members]?: z.output<(typeof members)[Name]> } & {
  labels?: string[] | undefined;
  state?: TaskState | TaskState[] | undefined;
};

export function taskQueryOf({ label: one, labels = [], state, since, until, ...rest }: Filter): TaskQuery {
  const all = one === undefined ? labels : [one, ...labels];
  return definedMembers({
    ...rest,
    labels: all.length === 0 ? undefined : all,
    states: state === undefined ? undefined : [state].flat(),
    since_ms: since === undefined ? undefined : Date.parse(since),
    until_ms: until === undefined ? undefined : Date.parse(until),
  });
}

/** Whether a filter narrows anything at all. */
export function narrows(filter: Record<string, unknown>): boolean {
  return Object.keys(taskFilterShape).some((key) => filter[key] !== undefined);
}
