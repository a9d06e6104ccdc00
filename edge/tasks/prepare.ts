import { findTaskType, parseArguments, type TaskType } from '#catalog';
import { invalidRequest, isoTime, limits, TabgridError, type Fault, type Signature, type TaskId } from '#protocol';
import type { NewTask } from '../broker/rpc.ts';
import { edgeDefaults, type EdgeConfig } from '../config.ts';
import { jsonBytes } from '../lib/json-bytes.ts';
import { runsAtEdge } from './edge-cap.ts';
import { optionFaults } from './options.ts';
import { retriesOf } from './retries.ts';

export interface PrepareContext {
  /** Who submits. */
  owner: string;
  nowMs: number;
  config?: EdgeConfig;
  parent?: NewTask['parent'];
  /** For senders that name the task themselves, so that a repeated message makes no second one. */
  taskId?: TaskId;
  notify?: NewTask['notify'];
  ref?: string;
  /** What a worker must provide beside what the task type says. */
  needs?: readonly string[];
  /** The task type whose calls it makes, where it only carries them: then that one’s defaults hold. */
  calls?: TaskType | undefined;
}

/**
 * Makes a complete task of a signature: the task type found by name or alias, arguments checked, every default filled in.
 * @throws TabgridError `unknown_task`, `invalid_arguments` or `invalid_request`, with the path of each fault; `body_too_large`.
 */
export function prepare(signature: Signature, context: PrepareContext): NewTask {
  const { owner, nowMs, config = edgeDefaults, parent = null } = context;
  const type = findTaskType(signature.task);
  if (type === undefined) {
    throw new TabgridError('unknown_task', `no task type is called "${signature.task}"`, {
      details: { faults: [{ path: 'task', message: 'expected a name that GET /v1/task-types lists' }] },
    });
  }
  if (type.internal === true && context.notify === undefined) {
    const message = `${type.name} is not submitted by itself; it comes with what it stands for or belongs to`;
    throw invalidRequest({ path: 'task', message });
  }
  const defaults = context.calls ?? type;
  const args = signature.args ?? [];
  const { kwargs, needs, items } = parseArguments(type, args, signature.kwargs ?? {});
  const bytes = jsonBytes(args) + jsonBytes(kwargs);
  if (bytes > limits.maxArgumentsBytes) {
    const message = `expected at most ${limits.maxArgumentsBytes} bytes, got ${bytes}; larger data travels as a file`;
    throw new TabgridError('body_too_large', `kwargs: ${message}`, {
      details: { faults: [{ path: 'kwargs', message }], limit: limits.maxArgumentsBytes },
    });
  }
  const faults = optionFaults(signature, type.timeLimitMs ?? config.timeLimitMs);
  if (faults.length > 0) throw invalidRequest(...faults);
  const times = timesOf(signature, nowMs);
  const timeLimits = timeLimitsOf(signature, type, items, config);
  return {
    ...(context.taskId === undefined ? {} : { task_id: context.taskId }),
    task: type.name,
    args,
    kwargs,
    needs: [...needs, ...(context.needs ?? [])],
    edge: runsAtEdge(type, kwargs, config),
    queue: signature.queue ?? defaults.queue,
    priority: signature.priority ?? defaults.priority,
    ...times,
    ...retriesOf(signature, defaults, config),
    ...timeLimits,
    ...(signature.time_limit === undefined && signature.soft_time_limit === undefined ? {} : { own_time_limits: true }),
    ...(items === 1 ? {} : { items }),
    labels: [...new Set(signature.labels)],
    owner,
    parent,
    retry_of: null,
    idempotency_key: signature.idempotency_key ?? null,
    ...concurrencyOf(signature),
    ...(context.notify === undefined ? {} : { notify: context.notify }),
    ...(context.ref === undefined ? {} : { ref: context.ref }),
    ...(type.runsOn.includes('object') ? { held: true } : {}),
  };
}

function concurrencyOf({ concurrency_key: key, concurrency_limit: limit }: Signature): Pick<NewTask, 'concurrency'> {
  return key === undefined ? {} : { concurrency: { key, limit: limit ?? 1 } };
}

function timesOf(signature: Signature, nowMs: number): Pick<NewTask, 'eta_ms' | 'expires_ms'> {
  const etaMs =
    signature.eta !== undefined
      ? Date.parse(signature.eta)
      : signature.countdown
        ? nowMs + signature.countdown * 1000
        : null;
  const { expires } = signature;
  const expiresMs =
    expires === undefined ? null : typeof expires === 'number' ? nowMs + expires * 1000 : Date.parse(expires);
  if (expiresMs !== null && etaMs !== null && expiresMs <= etaMs) {
    const message = `expected a time after the task’s ETA, ${isoTime(etaMs)}`;
    throw invalidRequest({ path: 'expires', message });
  }
  return { eta_ms: roundMs(etaMs), expires_ms: roundMs(expiresMs) };
}

function timeLimitsOf(
  signature: Signature,
  type: TaskType,
  items: number,
  config: EdgeConfig,
): Pick<NewTask, 'soft_time_limit_ms' | 'time_limit_ms'> {
  const hardMs = Math.ceil(
    (signature.time_limit === undefined ? (type.timeLimitMs ?? config.timeLimitMs) : signature.time_limit * 1000) *
      items,
  );
  if (signature.soft_time_limit === undefined) {
    const softMs = (type.softTimeLimitMs ?? config.softTimeLimitMs) * items;
    return { soft_time_limit_ms: Math.min(softMs, hardMs), time_limit_ms: hardMs };
  }
  return { soft_time_limit_ms: Math.ceil(signature.soft_time_limit * 1000 * items), time_limit_ms: hardMs };
}

function roundMs(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms);
}

/** Makes tasks of a list of signatures. @throws TabgridError as `one` does, with the place in the list. */
export function prepareEach(
  signatures: readonly Signature[],
  one: (signature: Signature, index: number) => NewTask,
): NewTask[] {
  return signatures.map((signature, index) => {
    try {
      return one(signature, index);
    } catch (error) {
      throw error instanceof TabgridError ? refusalAt(String(index), error) : error;
    }
  });
}

/** The same refusal, of something that is a part of a larger whole: its paths begin with `prefix`. */
export function refusalAt(prefix: string, error: TabgridError): TabgridError {
  const faults = (error.details?.faults ?? []) as Fault[];
  return new TabgridError(error.code, `${prefix}: ${error.message}`, {
    details: { ...error.details, faults: faults.map(({ path, message }) => ({ path: `${prefix}.${path}`, message })) },
  });
}
