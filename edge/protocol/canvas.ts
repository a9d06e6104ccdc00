import { z } from 'zod';
import type { TaskId, WorkflowId } from './ids.ts';
import { gridSchema, rangeSchema } from './items.ts';
import { jsonObjectSchema, jsonSchema, type Json, type JsonObject } from './json.ts';
import { limits } from './limits.ts';
import type { TaskState } from './states.ts';
import {
  labelsSchema,
  signatureSchema,
  taskOptionsSchema,
  type Signature,
  type TaskError,
  type TaskOptions,
} from './task.ts';
import { filePathSchema } from './text.ts';

/** Celery’s canvas: signatures composed into workflows. */

/**
 * A signature within a canvas. In a chain, and as the body of a chord, the result before it is put in front of `args`, unless it is
 * `immutable`: Celery’s `.s()` and `.si()`.
 */
const stepShape = signatureSchema.omit({ idempotency_key: true }).shape;

/** What an array runs over, one call for each item. */
const itemsSchema = z.union([
  z.array(jsonSchema).max(limits.maxInlineItems),
  /** Python’s range: from, to (exclusive), step (1). */
  z.strictObject({ range: rangeSchema }),
  /** A file: one JSON value a line, or one object a row of a CSV table. `records.ts` says what counts as an item. */
  z.strictObject({ file: filePathSchema }),
  /** Every combination of these keyword arguments, the last name varying fastest. */
  z.strictObject({ grid: gridSchema }),
]);
export type Items = z.infer<typeof itemsSchema>;

const arrayShape = {
  task: signatureSchema.shape.task,
  items: itemsSchema,
  /** Keyword arguments that all calls share. */
  kwargs: jsonObjectSchema.optional(),
  ...taskOptionsSchema.shape,
};

interface Part {
  /**
   * Runs once when this part fails for good; `{task_id, type, message, path}` is put in front of its `args` unless it is immutable. What becomes of it
   * does not change the workflow’s state.
   */
  link_error?: Step | undefined;
  /** Of every task of this part; those of the whole canvas are also the workflow’s. */
  labels?: string[] | undefined;
}
export interface Step extends Omit<Signature, 'idempotency_key'>, Part {
  immutable?: boolean | undefined;
}
export interface ArraySpec extends TaskOptions {
  task: string;
  items: Items;
  kwargs?: JsonObject | undefined;
}

/** A canvas: a signature or a composition, nested at will. */
export type CanvasNode =
  | Step
  /** Each part gets the result of the one before; behind a group that is the list of its results, as in a chord. */
  | ({ chain: CanvasNode[] } & Part)
  /** All at once; the result is the list of results, in this order. */
  | ({ group: CanvasNode[] } & Part)
  /** The body gets the list of the header’s results. Where a part of the header fails, or it is empty, the body never runs and the chord fails. */
  | ({ chord: { header: CanvasNode[]; body: CanvasNode } } & Part)
  /** One call for each item, which is its first argument; the result is the list of results. */
  | ({ map: ArraySpec } & Part)
  /** One call for each item: a list is its positional arguments, an object its keyword arguments, what is neither its first argument. */
  | ({ starmap: ArraySpec } & Part)
  /** `starmap` in tasks of `size` items; the result is a list of lists. */
  | ({ chunks: ArraySpec & { size: number } } & Part);

const stepSchema: z.ZodType<Step> = z.lazy(() =>
  z.strictObject({ ...stepShape, immutable: z.boolean().optional(), link_error: stepSchema.optional() }),
);
const part = { link_error: stepSchema.optional(), labels: labelsSchema.optional() };
const anyNodes = z.lazy(() => z.array(canvasNodeSchema).max(limits.maxCanvasNodes));
const nodes = z.lazy(() => z.array(canvasNodeSchema).min(1).max(limits.maxCanvasNodes));

const kinds = {
  task: stepSchema,
  chain: z.strictObject({ chain: nodes, ...part }),
  group: z.strictObject({ group: nodes, ...part }),
  chord: z.strictObject({
    chord: z.strictObject({ header: anyNodes, body: z.lazy(() => canvasNodeSchema) }),
    ...part,
  }),
  map: z.strictObject({ map: z.strictObject(arrayShape), ...part }),
  starmap: z.strictObject({ starmap: z.strictObject(arrayShape), ...part }),
  chunks: z.strictObject({
    chunks: z.strictObject({ ...arrayShape, size: z.int().min(1).max(limits.maxChunkSize) }),
    ...part,
  }),
} satisfies Record<string, z.ZodType>;

export const canvasKinds = Object.keys(kinds) as (keyof typeof kinds)[];

/** Looks at one key to know the kind, so that a fault is told of that kind alone. */
export const canvasNodeSchema: z.ZodType<CanvasNode> = z.lazy(() =>
  z.unknown().transform((value, context): CanvasNode => {
    const isObject = typeof value === 'object' && value !== null;
    const present = isObject ? canvasKinds.filter((kind) => Object.hasOwn(value, kind)) : [];
    const [kind] = present;
    if (kind === undefined || present.length > 1) {
      context.addIssue({ code: 'custom', message: `expected exactly one of ${canvasKinds.join(', ')}` });
      return z.NEVER;
    }
    const parsed = kinds[kind].safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) context.addIssue({ ...issue });
    return z.NEVER;
  }),
);

/** What `POST /v1/workflows` takes. */
export const workflowSpecSchema = canvasNodeSchema.meta({
  type: 'object',
  description: `Exactly one of ${canvasKinds.join(', ')}: a step as POST /v1/tasks takes it, with immutable and link_error, or parts and arrays of steps, nested at will.`,
  oneOf: canvasKinds.map((kind) => ({ required: [kind] })),
  examples: [
    {
      chain: [
        { group: [{ task: 'ping' }, { task: 'ping' }] },
        { task: 'ping', immutable: true, link_error: { task: 'ping', immutable: true } },
      ],
      labels: ['nightly'],
    },
  ],
});

export const workflowStates = ['STARTED', 'SUCCESS', 'FAILURE', 'REVOKED'] as const satisfies readonly TaskState[];
export type WorkflowState = (typeof workflowStates)[number];

/** A result over `limits.maxResultBytes` lies in a file of the owner and is named in its place, in the workflow’s result as in arguments of the next step. */
export interface ResultFile {
  file: string;
}

/** Where results and files of a workflow lie; they go when it goes, so copy what is to stay. */
export function workflowFolder(id: WorkflowId): string {
  return `/results/workflows/${id}`;
}

/** What failed: a task, or a part that could not be begun, whose `task_id` is null. */
export interface WorkflowError extends TaskError {
  task_id: TaskId | null;
  /** Where in the canvas, such as `chain.1.group.0`; empty for the whole. */
  path: string;
}

/** How far a workflow has come, in calls: an item of an array counts as one, whatever it travels with. */
export interface WorkflowProgress {
  total: number;
  succeeded: number;
  failed: number;
  /** Submitted and not over; what waits for others, or for room, is in `total` alone. */
  running: number;
}

/** A workflow as `GET /v1/workflows/:id` shows it. */
export interface WorkflowView extends WorkflowProgress {
  workflow_id: WorkflowId;
  /** The task that stands for it, by which it can be waited for, watched and revoked like any other. */
  task_id: TaskId;
  owner: string;
  state: WorkflowState;
  /** Of the whole canvas; null until SUCCESS; a `ResultFile` where it is large. */
  result: Json;
  /** The first failure. Parts that do not depend on it still run; the state is final when nothing runs any more. */
  error: WorkflowError | null;
  labels: string[];
  created_at: string;
  finished_at: string | null;
}

/** The answer to `POST /v1/workflows`. */
export interface WorkflowStarted {
  workflow_id: WorkflowId;
  task_id: TaskId;
}
