import { z } from 'zod';
import { filePathSchema, jsonObjectSchema, jsonSchema, limits } from '#protocol';
import { taskType } from './task-type.ts';

/** Task types that workflows consist of; nobody submits them. */

const index = z.int().min(0).max(limits.maxArrayItems);

/** A stretch of an array. Items count from 0; `to` is exclusive. */
const stretchSchema = z.union([
  z.array(jsonSchema).min(1).max(limits.maxChunkSize),
  /** Python’s range: from, to (exclusive), step. All of it. */
  z.strictObject({ range: z.tuple([z.int(), z.int(), z.int()]) }),
  /**
   * Items of a file with this hash: lines of JSON that are not blank, or, where the path ends in `.csv`, records behind the header as objects of
   * texts by column.
   */
  z.strictObject({ file: filePathSchema, sha256: z.string(), from: index, to: index }),
  /** Combinations of these keyword arguments, the last name varying fastest. */
  z.strictObject({ grid: z.record(z.string(), z.array(jsonSchema).min(1)), from: index, to: index }),
]);

export const starmap = taskType({
  name: 'starmap',
  aliases: ['celery.map', 'celery.starmap'],
  summary: 'A stretch of an array of a workflow: one call of a task for each item, one after the other.',
  queue: 'default',
  priority: 5,
  // Tabs and Node workers, once they have its body.
  runsOn: [],
  verifiable: false,
  internal: true,
  kwargs: z.strictObject({
    /** The name of the task type that is called. */
    task: z.string(),
    /** Keyword arguments that all calls share. */
    kwargs: jsonObjectSchema,
    /** True: an item is the list of positional or the object of keyword arguments. False: it is the first argument. */
    star: z.boolean(),
    items: stretchSchema,
  }),
  positional: [],
  /** In the order of the items. */
  result: z.array(jsonSchema),
  items: ({ items }) => {
    if (Array.isArray(items)) return items.length;
    if (!('range' in items)) return items.to - items.from;
    const [from, to, step] = items.range;
    return Math.max(1, Math.ceil((to - from) / step));
  },
});

export const runWorkflow = taskType({
  name: 'run_workflow',
  aliases: [],
  summary: 'Stands for a whole workflow: it is running while the workflow is, and its result is the workflow’s.',
  queue: 'default',
  priority: 5,
  runsOn: ['object'],
  verifiable: false,
  kwargs: z.strictObject({ workflow_id: z.string() }),
  positional: [],
  result: jsonSchema,
});
