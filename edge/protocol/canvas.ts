import { z } from 'zod';
import type { TaskId, WorkflowId } from './ids.ts';
import { jsonObjectSchema, jsonSchema, type Json, type JsonObject } from './json.ts';
import { limits } from './limits.ts';
import type { FinalState } from './states.ts';
import { labelsSchema, signatureSchema, type Signature, type TaskError } from './task.ts';
import { filePathSchema } from './text.ts';

/** Celery’s canvas: signatures composed into workflows. */

/** What a signature may say of every task that comes of it, beside its task and arguments. */
const taskOptions = {
  queue: signatureSchema.shape.queue,
  priority: signatureSchema.shape.priority,
  max_retries: signatureSchema.shape.max_retries,
  retry_backoff: signatureSchema.shape.retry_backoff,
  soft_time_limit: signatureSchema.shape.soft_time_limit,
  time_limit: signatureSchema.shape.time_limit,
  labels: signatureSchema.shape.labels,
};

/**
 * A signature within a canvas. In a chain, and as the body of a chord, the result before it is put in front of `args`, unless it is
 * `immutable`: Celery’s `.s()` and `.si()`.
 */
const stepShape = signatureSchema.omit({ idempotency_key: true }).shape;

/** What an array runs over, one call for each item. */
export const itemsSchema = z.union([
  z.array(jsonSchema).max(limits.maxInlineItems),
  /** Python’s range: from, to (exclusive), step (1). */
  z.strictObject({
    range: z.union([z.tuple([z.int(), z.int()]), z.tuple([z.int(), z.int(), z.int().refine((step) => step !== 0)])]),
  }),
  /** A file with one JSON value a line (`.ndjson`, `.jsonl`), or a CSV table with a header: one object a row. */
  z.strictObject({ file: filePathSchema }),
  /** Every combination of these keyword arguments, the last name varying fastest. */
  z.strictObject({ grid: z.record(z.string(), z.array(jsonSchema).min(1).max(limits.maxInlineItems)) }),
]);
export type Items = z.infer<typeof itemsSchema>;

const arrayShape = {
  task: signatureSchema.shape.task,
  items: itemsSchema,
  /** Keyword arguments that all calls share. */
  kwargs: jsonObjectSchema.optional(),
  ...taskOptions,
};

interface Linked {
  /** Runs when this part fails for good; the error is put in front of its `args` unless it is immutable. */
  link_error?: Step | undefined;
}
export interface Step extends Omit<Signature, 'idempotency_key'>, Linked {
  immutable?: boolean | undefined;
}
export interface ArraySpec {
  task: string;
  items: Items;
  kwargs?: JsonObject | undefined;
  queue?: string | undefined;
  priority?: number | undefined;
  max_retries?: number | undefined;
  retry_backoff?: boolean | number | undefined;
  soft_time_limit?: number | undefined;
  time_limit?: number | undefined;
  labels?: string[] | undefined;
}

/** A canvas: a signature or a composition, nested at will. */
export type CanvasNode =
  | Step
  | ({ chain: CanvasNode[] } & Linked)
  | ({ group: CanvasNode[] } & Linked)
  | ({ chord: { header: CanvasNode[]; body: CanvasNode } } & Linked)
  /** One call for each item, which is its first argument; the result is the list of results. */
  | ({ map: ArraySpec } & Linked)
  /** One call for each item, which is its list of arguments or its object of keyword arguments. */
  | ({ starmap: ArraySpec } & Linked)
  /** `starmap` in tasks of `size` items; the result is a list of lists. */
  | ({ chunks: ArraySpec & { size: number } } & Linked);

const stepSchema: z.ZodType<Step> = z.lazy(() =>
  z.strictObject({ ...stepShape, immutable: z.boolean().optional(), link_error: stepSchema.optional() }),
);
const linked = { link_error: stepSchema.optional() };
const nodes = z.lazy(() => z.array(canvasNodeSchema).min(1).max(limits.maxCanvasNodes));

const kinds = {
  task: stepSchema,
  chain: z.strictObject({ chain: nodes, ...linked }),
  group: z.strictObject({ group: nodes, ...linked }),
  chord: z.strictObject({
    chord: z.strictObject({ header: nodes, body: z.lazy(() => canvasNodeSchema) }),
    ...linked,
  }),
  map: z.strictObject({ map: z.strictObject(arrayShape), ...linked }),
  starmap: z.strictObject({ starmap: z.strictObject(arrayShape), ...linked }),
  chunks: z.strictObject({
    chunks: z.strictObject({ ...arrayShape, size: z.int().min(1).max(limits.maxChunkSize) }),
    ...linked,
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

/** What `POST /v1/workflows` takes: a canvas; its labels are those of the workflow and of every task of it. */
export const workflowSpecSchema = canvasNodeSchema;
export const workflowLabelsSchema = labelsSchema;

export const workflowStates = ['STARTED', 'SUCCESS', 'FAILURE', 'REVOKED'] as const;

/** A workflow as `GET /v1/workflows/:id` shows it. */
export interface WorkflowView {
  workflow_id: WorkflowId;
  owner: string;
  state: 'STARTED' | FinalState;
  /** Calls: an item of an array counts as one, whatever it travels with. Grows when a part’s items are only known later. */
  total: number;
  succeeded: number;
  failed: number;
  running: number;
  /** Of the whole canvas; null until SUCCESS, and where it is in a file. */
  result: Json;
  /** Where a result is that is too large to be shown. */
  result_path: string | null;
  /** What failed first. */
  error: (TaskError & { task_id: TaskId | null }) | null;
  labels: string[];
  created_at: string;
  finished_at: string | null;
}

export interface WorkflowStarted {
  workflow_id: WorkflowId;
}
