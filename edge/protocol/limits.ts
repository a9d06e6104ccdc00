/** Every size and count limit of the protocol, in one place. */
export const limits = {
  /** A JSON request body. Larger data travels as a file. */
  maxJsonBodyBytes: 4 * 1024 * 1024,
  /** Levels of arrays and objects within one another. Deeper values break what handles JSON by recursion. */
  maxJsonDepth: 64,
  /** A file in one PUT; larger ones go through `/v1/uploads` in parts (Cloudflare’s body limit is 100 MB). */
  maxFileBytes: 95 * 1000 * 1000,
  /** A frame on a worker’s socket (Cloudflare receives up to 32 MiB). */
  maxFrameBytes: 8 * 1024 * 1024,
  /** Arguments of one task, as JSON: they must fit a storage row (2 MB) beside its other columns. */
  maxArgumentsBytes: 1024 * 1024,
  /** A result inside the task; a larger one must be a file. */
  maxResultBytes: 1024 * 1024,
  /** A snapshot that travels inside a frame. */
  maxSnapshotBytes: 1024 * 1024,
  /** Tasks in one `POST /v1/tasks`. */
  maxTasksPerRequest: 1000,
  /** Tasks in one frame to a worker. */
  maxTasksPerFrame: 200,
  /** Frames in one message of a submitter. */
  maxFramesPerMessage: 1000,
  /** Tasks that one worker may ask for at once, and hold. */
  maxCredits: 1000,
  maxNameChars: 128,
  maxPathChars: 512,
  /** With the prefix `schedule:` it is a label. */
  maxScheduleNameChars: 48,
  /** Schedules of one owner. */
  maxSchedules: 1000,
  /** Parts of one list in a canvas, and steps, lists and arrays in all of it. */
  maxCanvasNodes: 1000,
  /** Canvases within one another. */
  maxCanvasDepth: 16,
  /** Items of an array that come in the request; more come from a range, a grid or a file. */
  maxInlineItems: 1000,
  /** Items of one array in all. */
  maxArrayItems: 10_000_000,
  /** A delay, a time limit, an interval: a year. */
  maxDurationSeconds: 366 * 86_400,
  /** Items of one task of `chunks`. */
  maxChunkSize: 10_000,
  maxLabels: 16,
  maxLabelChars: 64,
  maxPageSize: 1000,
  defaultPageSize: 100,
  maxWaitSeconds: 60,
} as const;

/** Times that both ends of a lease must agree on. */
export const leaseDefaults = {
  /** A worker’s right to run a task, renewed by each heartbeat. */
  leaseMs: 30_000,
  /** How often a worker sends a heartbeat: three may be lost before the lease is. */
  heartbeatMs: 8_000,
  /** What the edge waits beyond the hard time limit before it ends the attempt itself. */
  hardLimitGraceMs: 5_000,
} as const;

/** Defaults of a task; each can be set per task type, per task and per deployment. */
export const taskDefaults = {
  timeLimitMs: 3_600_000,
  softTimeLimitMs: 3_000_000,
  maxRetries: 3,
  resultRetentionMs: 24 * 3_600_000,
} as const;
