import { argumentsOfCall, findTaskType, type Kwargs, type TaskName, type TaskType } from '#catalog';
import { limits, TabgridError, type Json, type TaskId } from '#protocol';
import { failureOf } from '../execution/failure.ts';
import { readItems } from './arrays/items.ts';
import { Journal } from './arrays/journal.ts';
import type { EvaluatorHost, TaskBody, TaskContext } from './body.ts';
import { betweenSteps } from './faults.ts';

/** Indices of candidates that one call may use, so that a later call’s are others. */
const candidatesPerCall = 1000;

/**
 * One call for each item, one after the other. What a call gives, and where the one under way has come to, is in each snapshot: another machine goes
 * on in the middle of a call, bit-equal. The first call that fails ends the task with its own code.
 */
export const starmap: TaskBody<'starmap'> = async (context, kwargs) => {
  const type = typeOf(context, kwargs.task);
  const items = await readItems(context, kwargs.items);
  const journal = Journal.open(context.snapshot);
  try {
    while (journal.length < items.length) {
      journal.push(await call(context, kwargs, type, items, journal));
      if (journal.length === items.length) break;
      context.checkpoint(() => journal.snapshot());
      await betweenSteps(context);
    }
  } catch (error) {
    // What is over is not called again by the next attempt.
    if (journal.length > 0 && failureOf(error).retryable) context.handOver(journal.snapshot());
    throw error;
  }
  return deliver(context, kwargs, journal.json());
};

function typeOf({ bodies }: TaskContext, name: string): TaskType {
  const type = findTaskType(name);
  if (type === undefined || type.internal === true || !Object.hasOwn(bodies, type.name)) {
    throw new TabgridError('unknown_task', `This worker has no body for ${name}.`);
  }
  return type;
}

/** @returns the result as JSON */
async function call(
  context: TaskContext,
  kwargs: Kwargs<'starmap'>,
  type: TaskType,
  items: readonly Json[],
  journal: Journal,
): Promise<string> {
  const at = journal.length;
  const body = context.bodies[type.name as TaskName] as TaskBody<TaskName> | undefined;
  try {
    const given = argumentsOfCall(type, kwargs, items[at] ?? null);
    const inner = contextOfCall(context, journal, at, items.length);
    inner.progress({});
    const result = await body?.(inner, given as never);
    const json = JSON.stringify(result) as string | undefined;
    if (json !== undefined) return json;
    throw new TabgridError('task_failed', 'The body of the task returned nothing.');
  } catch (error) {
    // The whole is stopped, not this call.
    if (context.signal.aborted) throw error;
    throw faultOfItem(firstOf(kwargs) + at, error);
  }
}

/** What one call sees: its own progress, its own snapshot, a name of its own for what it stores. */
function contextOfCall(context: TaskContext, journal: Journal, at: number, count: number): TaskContext {
  const { evaluators } = context;
  return {
    ...context,
    taskId: `${context.taskId}-${at}` as TaskId,
    snapshot: journal.takeCall(),
    checkpoint: (make) => context.checkpoint(() => journal.snapshot(make())),
    progress: ({ fraction = 0, message, ...details }) =>
      context.progress({
        ...details,
        fraction: (at + fraction) / count,
        message: `item ${at + 1} of ${count}${message === undefined ? '' : `: ${message}`}`,
      }),
    ...(evaluators ? { evaluators: evaluatorsOfCall(evaluators, at) } : {}),
  };
}

function evaluatorsOfCall(evaluators: EvaluatorHost, at: number): EvaluatorHost {
  return {
    evaluate: (name, candidate, index, onFraction) =>
      evaluators.evaluate(name, candidate, at * candidatesPerCall + index, onFraction),
  };
}

function firstOf({ first, items }: Kwargs<'starmap'>): number {
  return first ?? ('from' in items ? items.from : 0);
}

/** The failure of one call as the whole task’s: a retry makes sense where one of the call does. */
function faultOfItem(index: number, error: unknown): TabgridError {
  const { type, message, traceback } = failureOf(error).error;
  const fault = new TabgridError(type, `item ${index}: ${message}`, { details: { index }, cause: error });
  if (traceback !== undefined) fault.stack = traceback;
  return fault;
}

async function deliver(
  context: TaskContext,
  kwargs: Kwargs<'starmap'>,
  json: string,
): Promise<Json[] | { file: string }> {
  const bytes = new TextEncoder().encode(json);
  if (bytes.length <= limits.maxResultBytes) return JSON.parse(json) as Json[];
  const file = kwargs.result_path ?? `/results/${context.taskId}.json`;
  await context.files.write(file, bytes, 'application/json');
  return { file };
}
