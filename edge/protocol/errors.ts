/** What one error code means to a caller. */
export interface ErrorMeaning {
  /** The HTTP status it travels with. */
  status: 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 416 | 422 | 426 | 429 | 500 | 503;
  /** True when the same request may succeed later. */
  retryable: boolean;
  /** One sentence for the reference page. */
  meaning: string;
}

/** The closed list: every error that leaves Tabgrid, over HTTP, in a frame or as a task's `error.type`, has one of these codes. */
export const errorCodes = {
  invalid_json: { status: 400, retryable: false, meaning: 'The body is not JSON.' },
  invalid_request: {
    status: 422,
    retryable: false,
    meaning: 'The request does not fit its schema; `details` lists each fault with its path.',
  },
  unknown_task: { status: 422, retryable: false, meaning: 'No task type has this name.' },
  invalid_arguments: {
    status: 422,
    retryable: false,
    meaning: 'The arguments do not fit the task type; `details` lists each fault with its path.',
  },
  unauthorized: { status: 401, retryable: false, meaning: 'The token is missing, malformed, forged or revoked.' },
  token_expired: { status: 401, retryable: false, meaning: 'The token has expired.' },
  forbidden: {
    status: 403,
    retryable: false,
    meaning: 'The token lacks the scope that this route needs, or the origin is not allowed.',
  },
  not_found: { status: 404, retryable: false, meaning: 'It does not exist, or belongs to somebody else.' },
  method_not_allowed: { status: 405, retryable: false, meaning: 'The route exists, but not with this method.' },
  conflict: { status: 409, retryable: false, meaning: 'The present state does not allow this.' },
  idempotency_conflict: { status: 409, retryable: false, meaning: 'This Idempotency-Key was used with another body.' },
  lease_lost: {
    status: 409,
    retryable: false,
    meaning: 'The lease ran out and the task was given to somebody else, or is final.',
  },
  precondition_failed: { status: 412, retryable: false, meaning: 'If-Match or If-None-Match does not hold.' },
  body_too_large: { status: 413, retryable: false, meaning: 'The body is over the limit that `details` names.' },
  range_not_satisfiable: { status: 416, retryable: false, meaning: 'The range lies outside the file.' },
  upgrade_required: {
    status: 426,
    retryable: false,
    meaning: 'The route speaks WebSocket only, or the protocol version is not spoken here.',
  },
  rate_limited: { status: 429, retryable: true, meaning: 'Too many requests; see Retry-After.' },
  queue_full: { status: 429, retryable: true, meaning: 'The queue is at its maximal length; see Retry-After.' },
  not_configured: {
    status: 503,
    retryable: true,
    meaning: 'The deployment lacks its secret, so it refuses everything.',
  },
  unavailable: { status: 503, retryable: true, meaning: 'A part is not reachable just now; see Retry-After.' },
  internal: { status: 500, retryable: true, meaning: 'A defect of Tabgrid; the log has the details.' },
  // Frames of the worker protocol.
  unknown_message: {
    status: 422,
    retryable: false,
    meaning: 'A frame has a type that this version of the protocol does not have.',
  },
  invalid_frame: { status: 422, retryable: false, meaning: 'A frame is not JSON or does not fit its schema.' },
  handshake_required: { status: 409, retryable: false, meaning: 'The first frame must be `hello`.' },
  // How a task fails.
  task_failed: {
    status: 422,
    retryable: true,
    meaning: 'The body of the task threw, or its command exited with an error.',
  },
  invalid_input: {
    status: 422,
    retryable: false,
    meaning: 'The data that the task was given cannot be worked on; the message names the field.',
  },
  file_not_found: { status: 404, retryable: false, meaning: 'A file that the task needs does not exist.' },
  soft_time_limit_exceeded: {
    status: 422,
    retryable: true,
    meaning: 'The task did not stop at its soft time limit’s signal with a result.',
  },
  time_limit_exceeded: { status: 422, retryable: true, meaning: 'The hard time limit ended the task.' },
  worker_lost: { status: 503, retryable: true, meaning: 'The worker vanished: its lease ran out.' },
  expired: { status: 422, retryable: false, meaning: 'The task was not begun before it expired.' },
  revoked: { status: 409, retryable: false, meaning: 'The owner revoked the task.' },
  evaluator_failed: {
    status: 422,
    retryable: true,
    meaning: 'An evaluator’s command, URL or module failed; the message has its last words.',
  },
  evaluator_not_allowed: {
    status: 422,
    retryable: false,
    meaning: 'This worker runs only the evaluators that it was started with.',
  },
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof errorCodes;

/** True when `value` is one of the closed list. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCodes, value);
}

/** One fault in a request: where, and what was expected. */
export interface Fault {
  path: string;
  message: string;
}

/** The error that every layer throws; the edge turns it into a response, a worker into an outcome, the SDK back into itself. */
export class TabgridError extends Error {
  override readonly name = 'TabgridError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** Seconds after which a retry makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Record<string, unknown>; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** What was sent does not fit, in these places; the message tells the first. */
export function invalidRequest(...faults: readonly Fault[]): TabgridError {
  const [first = { path: '', message: 'does not fit' }] = faults;
  const where = first.path === '' ? '' : `${first.path}: `;
  return new TabgridError('invalid_request', `${where}${first.message}`, { details: { faults } });
}

/** The JSON body of every error response and error frame. */
export interface ErrorBody {
  error: { code: ErrorCode; message: string; details?: Readonly<Record<string, unknown>> };
}

export function errorBody(error: TabgridError): ErrorBody {
  return { error: { code: error.code, message: error.message, ...(error.details ? { details: error.details } : {}) } };
}
