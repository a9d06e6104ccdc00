import { z } from 'zod';
import { filePathSchema, gridSchema, jsonObjectSchema, jsonSchema, limits, rangeLength } from '#protocol';
import { taskType } from './task-type.ts';

/** Task types that workflows consist of; nobody submits them. */

const index = z.int().min(0).max(limits.maxArrayItems);

/** A stretch of an array. Items count from 0; `to` is exclusive. */
const stretchSchema = z.union([
  z.array(jsonSchema).min(1).max(limits.maxChunkSize),
  /** Python’s range: from, to (exclusive), step. All of it. */
  z.strictObject({ range: z.tuple([z.int(), z.int(), z.int()]) }),
  /** Items of a file that still has this hash; `edge/protocol/records.ts` says what counts as one. */
  z.strictObject({ file: filePathSchema, sha256: z.string(), from: index, to: index }),
  /** Combinations of these keyword arguments, the last name varying fastest. */
  z.strictObject({ grid: gridSchema, from: index, to: index }),
]);
export type Stretch = z.output<typeof stretchSchema>;

export function lengthOf(items: Stretch): number {
  if (Array.isArray(items)) return items.length;
  return 'range' in items ? rangeLength(items.range) : items.to - items.from;
}

export const starmap = taskType({
  name: 'starmap',
  aliases: ['celery.map', 'celery.starmap'],
  summary: 'A stretch of an array of a workflow: one call of a task for each item, one after the other.',
  queue: 'default',
  priority: 5,
  runsOn: ['tab', 'node'],
  verifiable: false,
  internal: true,
  kwargs: z.strictObject({
    /** The name of the task type that is called. */
    task: z.string(),
    /** Keyword arguments that all calls share. */
    kwargs: jsonObjectSchema,
    /** Whether an item that is a list or an object is all arguments, instead of the first. */
    star: z.boolean(),
    items: stretchSchema,
    /** The number of the first item within the array, by which faults are told. Default: `from`, or 0. */
    first: index.optional(),
    /** Where the results go when they are over the limit of a result. Default: `/results/<task id>.json`. */
    result_path: filePathSchema.optional(),
  }),
  positional: [],
  /** In the order of the items; in a file where they are over the limit of a result. */
  result: z.union([z.array(jsonSchema), z.strictObject({ file: filePathSchema })]),
  items: ({ items }) => Math.max(1, lengthOf(items)),
});

export const runWorkflow = taskType({
  name: 'run_workflow',
  aliases: [],
  summary: 'Stands for a whole workflow: it is running while the workflow is, and its result is the workflow’s.',
  queue: 'default',
  priority: 5,
  runsOn: ['object'],
  verifiable: false,
  internal: true,
  kwargs: z.strictObject({ workflow_id: z.string() }),
  positional: [],
  result: jsonSchema,
});
