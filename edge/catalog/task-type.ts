import type { z } from 'zod';
import type { ErrorCode, RetryPolicy } from '#protocol';

/** Where a body may run: in the stateless Worker, a browser tab, a Node worker, or nowhere by itself because an object stands behind it. */
export type RunsOn = 'edge' | 'tab' | 'node' | 'object';

/** One declaration per task type: all that the broker, the API, the SDK and the workers know of it. */
export interface TaskType<
  Kwargs extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Positional extends readonly string[] = readonly string[],
  Internal extends boolean = boolean,
> {
  readonly name: string;
  /** Further names that it answers to, such as the dotted names of Celery modules. */
  readonly aliases: readonly string[];
  /** One sentence for the reference page. */
  readonly summary: string;
  readonly queue: string;
  /** 0 … 9, 9 first. */
  readonly priority: number;
  readonly runsOn: readonly RunsOn[];
  /** True when the result is a function of the arguments alone, bit by bit, so that a stranger’s answer can be checked by a second one. */
  readonly verifiable: boolean;
  /** True for what the edge alone submits, because it stands for something or is a part of it. */
  readonly internal?: Internal;
  /** Keyword arguments; unknown ones are refused. */
  readonly kwargs: Kwargs;
  /** Which keyword each positional argument stands for. */
  readonly positional: Positional;
  readonly result: Result;
  /** Overrides of the deployment’s defaults, in ms. */
  readonly timeLimitMs?: number;
  readonly softTimeLimitMs?: number;
  readonly maxRetries?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** Errors after which it is tried again, and no others. */
  readonly retryOn?: readonly ErrorCode[];
  /** Errors after which it is not. */
  readonly dontRetryOn?: readonly ErrorCode[];
  /** What a worker must have beside the body, such as `evaluator:barrel`. Of an array, only the arguments that all calls share are given. */
  readonly needs?: (kwargs: Partial<z.output<Kwargs>>) => string[];
  /** Time limits are for one item; this many items are in a task. */
  readonly items?: (kwargs: z.output<Kwargs>) => number;
}

/** Keeps a declaration’s exact types, so that bodies and SDK calls are checked against it. */
export function taskType<
  Kwargs extends z.ZodType,
  Result extends z.ZodType,
  const Positional extends readonly (keyof z.input<Kwargs> & string)[],
  Internal extends boolean = false,
>(declaration: TaskType<Kwargs, Result, Positional, Internal>): TaskType<Kwargs, Result, Positional, Internal> {
  return declaration;
}
