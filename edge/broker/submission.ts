import {
  faultsOf,
  framesOf,
  invalidRequest,
  isFinal,
  limits,
  owns,
  sha256Hex,
  submitterFrameSchema,
  TabgridError,
  type Fault,
  type Principal,
  type Signature,
  type SubmissionError,
  type SubmitterFrame,
  type TaskEnd,
  type TaskId,
} from '#protocol';
import { prepare, prepareEach } from '../tasks/prepare.ts';
import type { Core } from './core.ts';
import { invalidFrame, parseFrameText } from './frame-text.ts';
import type { NewTask, RequestKey } from './rpc.ts';
import type { TaskRecord } from './task-record.ts';

/** Reads what a submitter says. @returns frames, not yet looked at @throws TabgridError `invalid_frame`, `body_too_large` */
export function readSubmitterMessage(text: string | ArrayBuffer): unknown[] {
  const frames = framesOf(parseFrameText(text, limits.maxJsonBodyBytes, limits.maxJsonDepth));
  if (frames.length <= limits.maxFramesPerMessage) return frames;
  const message = `message: expected at most ${limits.maxFramesPerMessage} frames, got ${frames.length}`;
  throw new TabgridError('invalid_frame', message);
}

/**
 * @throws Misfit a submission that says which it is, so that it alone is refused
 * @throws TabgridError `invalid_frame` any other
 */
export function parseSubmitterFrame(json: unknown): SubmitterFrame {
  if (isCommonSubmission(json)) return json;
  const parsed = submitterFrameSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { type, request_id: id, tasks } = Object(json) as Record<string, unknown>;
  if (type !== 'submit' || !isText(id, 64)) throw invalidFrame(parsed.error);
  // As over HTTP: the paths of several tasks begin with their place, those of one do not.
  const prefix = Array.isArray(tasks) && tasks.length === 1 ? /^tasks\.0\./ : /^tasks\./;
  const faults = faultsOf(parsed.error).map(({ path, message }) => ({ path: path.replace(prefix, ''), message }));
  throw new Misfit(id, faults);
}

/** A submission that does not fit its schema. */
export class Misfit extends TabgridError {
  readonly requestId: string;

  constructor(requestId: string, faults: readonly Fault[]) {
    const { code, message } = invalidRequest(...faults);
    super(code, message, { details: { faults } });
    this.requestId = requestId;
  }
}

type Submission = Extract<SubmitterFrame, { type: 'submit' }>;

/** True for submissions of tasks with nothing but a name and keyword arguments, by hand, because zod is slow in workerd; false says nothing. */
function isCommonSubmission(value: unknown): value is Submission {
  if (typeof value !== 'object' || value === null) return false;
  const { type, request_id: id, key, tasks, ...rest } = value as Record<string, unknown>;
  return (
    type === 'submit' &&
    Object.keys(rest).length === 0 &&
    isText(id, 64) &&
    (key === undefined || isText(key, 255)) &&
    Array.isArray(tasks) &&
    tasks.length >= 1 &&
    tasks.length <= limits.maxTasksPerRequest &&
    tasks.every(isCommonSignature)
  );
}

function isCommonSignature(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { task, kwargs, ...rest } = value as Record<string, unknown>;
  const isObject = typeof kwargs === 'object' && kwargs !== null && !Array.isArray(kwargs);
  return isText(task, limits.maxNameChars) && (kwargs === undefined || isObject) && Object.keys(rest).length === 0;
}

function isText(value: unknown, maxChars: number): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= maxChars;
}

/** Signatures that are remembered in their complete form, and how long they may be. */
const maxRemembered = 200;
const maxRememberedChars = 1_000;

/** Makes tasks of signatures. Equal ones, which are common in a loop, are checked once. */
export class Preparation {
  readonly #core: Core;
  readonly #remembered = new Map<string, NewTask>();

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * @param texts of the signatures, as JSON
   * @throws TabgridError as `prepare` does, of several with the place in the list.
   */
  all(principal: Principal, signatures: readonly Signature[], texts: readonly string[]): NewTask[] {
    const one = (signature: Signature, index: number): NewTask =>
      this.#one(principal.sub, signature, texts[index] ?? '');
    const [only] = signatures;
    if (only !== undefined && signatures.length === 1) return [one(only, 0)];
    return prepareEach(signatures, one);
  }

  #one(owner: string, signature: Signature, text: string): NewTask {
    const { config, clock } = this.#core;
    const context = { owner, config, nowMs: clock.now() };
    const dependsOnNow = signature.countdown !== undefined || signature.expires !== undefined;
    if (dependsOnNow || text.length > maxRememberedChars) return prepare(signature, context);
    const key = `${owner.length} ${owner}${text}`;
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const task = prepare(signature, context);
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    this.#remembered.set(key, task);
    return task;
  }
}

/** A digest is as long. */
const maxDigestChars = 64;

/**
 * The request’s key. The digest is not that of a body over HTTP, so that a key used there is another’s here; short tasks are their own.
 * @param texts of its tasks, as JSON
 */
export function requestOf(key: string | undefined, texts: readonly string[]): RequestKey | undefined {
  if (key === undefined) return undefined;
  const text = `[${texts.join(',')}]`;
  return { key, bodyDigest: text.length <= maxDigestChars ? text : sha256Hex(text) };
}

/** How a final task ended. */
export function endOf({ id, state, outcome }: Pick<TaskRecord, 'id' | 'state' | 'outcome'>): TaskEnd {
  if (!isFinal(state)) throw new Error(`${id} is ${state}, not final`);
  return {
    task_id: id,
    state,
    result: outcome !== null && 'result' in outcome ? outcome.result : null,
    error: outcome !== null && 'error' in outcome ? outcome.error : null,
  };
}

/** What became of tasks that somebody wants to watch: those that have ended, those that go on, and those that are not there for them. */
export function lookAt(
  core: Core,
  principal: Principal,
  ids: readonly TaskId[],
): { ended: TaskEnd[]; open: TaskId[]; unknown: TaskId[] } {
  const found = { ended: [] as TaskEnd[], open: [] as TaskId[], unknown: [] as TaskId[] };
  const records = core.tasks.readAll(ids);
  for (const id of new Set(ids)) {
    const record = records.get(id);
    if (record === undefined || !owns(principal, record.owner)) found.unknown.push(id);
    else if (isFinal(record.state)) found.ended.push(endOf(record));
    else found.open.push(id);
  }
  return found;
}

export function submissionError(error: unknown): SubmissionError {
  const refusal =
    error instanceof TabgridError ? error : new TabgridError('internal', 'the submission could not be processed');
  const { code, message, details, retryAfterSeconds } = refusal;
  return {
    code,
    message,
    ...(details === undefined ? {} : { details }),
    ...(retryAfterSeconds === undefined ? {} : { retry_after: retryAfterSeconds }),
  };
}
