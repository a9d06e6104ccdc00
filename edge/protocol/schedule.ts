import { z } from 'zod';
import type { TaskId } from './ids.ts';
import { limits } from './limits.ts';
import { canvasKinds, canvasNodeSchema, type CanvasNode, type Step } from './canvas.ts';
import { signatureSchema } from './task.ts';
import { durationSchema, nameSchema, timeSchema } from './text.ts';

/** Events of the sun’s day, under Celery’s names. */
export const solarEvents = [
  'dawn_astronomical',
  'dawn_nautical',
  'dawn_civil',
  'sunrise',
  'solar_noon',
  'sunset',
  'dusk_civil',
  'dusk_nautical',
  'dusk_astronomical',
] as const;
export type SolarEvent = (typeof solarEvents)[number];

/** When: exactly one kind. */
export const timetableSchema = z.union([
  /** Seconds between ticks, counted from when the schedule was made. */
  z.strictObject({ every: z.number().min(1).max(limits.maxDurationSeconds) }),
  /** Five fields as in cron, in the zone’s own time. */
  z.strictObject({ crontab: z.string().min(1).max(200), timezone: z.string().min(1).max(64).optional() }),
  /** Degrees, north and east positive. */
  z.strictObject({
    solar: z.enum(solarEvents),
    lat: z.number().min(-90).max(90),
    lon: z.number().min(-180).max(180),
  }),
  /** Once. */
  z.strictObject({ at: timeSchema }),
]);
export type Timetable = z.infer<typeof timetableSchema>;

/** What becomes of ticks that came while nobody could see to them. */
export const catchUpPolicies = ['none', 'last', 'all'] as const;
export type CatchUp = (typeof catchUpPolicies)[number];

/** A signature that can be submitted again and again: what is bound to one moment, or to one task, is no part of it. */
const repeatableSchema = signatureSchema.omit({ eta: true, idempotency_key: true }).extend({
  /** Seconds from the submission of each task. */
  expires: durationSchema.optional(),
});

/** A canvas of more than one step. */
export type Composition = Exclude<CanvasNode, Step>;

/** A signature or a canvas. Nothing of it is bound to one moment. */
export type ScheduledWork = z.infer<typeof repeatableSchema> | Composition;

const compositionSchema = canvasNodeSchema.superRefine((canvas, context) => {
  for (const path of momentsOf(canvas)) context.addIssue({ code: 'custom', path, message: 'expected no fixed time' });
});

/** Places of times that come once. */
function momentsOf(node: CanvasNode, path: (string | number)[] = []): (string | number)[][] {
  const inLink = node.link_error === undefined ? [] : momentsOf(node.link_error, [...path, 'link_error']);
  const inAll = (nodes: readonly CanvasNode[], ...at: string[]): (string | number)[][] =>
    nodes.flatMap((child, index) => momentsOf(child, [...path, ...at, index]));
  if ('chain' in node) return [...inLink, ...inAll(node.chain, 'chain')];
  if ('group' in node) return [...inLink, ...inAll(node.group, 'group')];
  if ('chord' in node) {
    const { header, body } = node.chord;
    return [...inLink, ...inAll(header, 'chord', 'header'), ...momentsOf(body, [...path, 'chord', 'body'])];
  }
  if (!('task' in node)) return inLink;
  const eta = node.eta === undefined ? [] : [[...path, 'eta']];
  return [...inLink, ...eta, ...(typeof node.expires === 'string' ? [[...path, 'expires']] : [])];
}

/** Looks for the parts of a canvas first, so that a fault is told of the one kind alone. */
export const scheduledWorkSchema: z.ZodType<ScheduledWork> = z
  .unknown()
  .transform((value, context): ScheduledWork => {
    const isObject = typeof value === 'object' && value !== null;
    const isCanvas = isObject && canvasKinds.some((kind) => kind !== 'task' && Object.hasOwn(value, kind));
    const parsed = (isCanvas ? compositionSchema : repeatableSchema).safeParse(value);
    if (parsed.success) return parsed.data as ScheduledWork;
    for (const issue of parsed.error.issues) context.addIssue({ ...issue });
    return z.NEVER;
  })
  .meta({
    type: 'object',
    description:
      'What POST /v1/tasks takes, or a canvas as POST /v1/workflows takes it; nothing of it is bound to one moment.',
  });

/** What `PUT /v1/schedules/:name` takes. */
export const scheduleSpecSchema = z.strictObject({
  schedule: timetableSchema,
  signature: scheduledWorkSchema,
  /** False: it pauses; what would have come meanwhile is not made up for. */
  enabled: z.boolean().default(true),
  catch_up: z.enum(catchUpPolicies).default('last'),
});
export type ScheduleSpec = z.infer<typeof scheduleSpecSchema>;
export type ScheduleSpecInput = z.input<typeof scheduleSpecSchema>;

/** Short enough to be a label, behind `schedule:`. */
export const scheduleNameSchema = nameSchema.max(limits.maxScheduleNameChars);

/** A schedule as `GET /v1/schedules/:name` shows it. Times are ISO 8601 in UTC. */
export interface ScheduleView extends Omit<ScheduleSpec, 'signature'> {
  name: string;
  owner: string;
  /** Its name, or `run_workflow` where it is a canvas. */
  task: string;
  signature: ScheduledWork;
  /** When a task was submitted last, by a tick or by hand. */
  last_run: string | null;
  /** Null when it pauses or nothing comes any more. */
  next_run: string | null;
  /** The next five. */
  next_runs: string[];
  /** Tasks submitted since it was made. */
  total_runs: number;
  last_task_id: TaskId | null;
  /** Why the last tick could not be submitted. */
  last_error: string | null;
  created_at: string;
  updated_at: string;
}

/** A schedule in a list: without what may be large. */
export type ScheduleSummary = Omit<ScheduleView, 'signature' | 'next_runs'>;
