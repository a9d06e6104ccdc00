import { z } from 'zod';
import { defaultRetryPolicy, faultsOf, leaseDefaults, TabgridError, taskDefaults, type RetryPolicy } from '#protocol';
import { acceptingShards } from './lib/shards.ts';

/**
 * Every default of the edge. A deployment overrides them by the variable `TABGRID_CONFIG`, a JSON object with any of these members, e.g.
 * `{"leaseMs": 60000}`; a task type and a task may override those that concern a task.
 */
export interface EdgeConfig {
  /** Broker shards. One takes some thousands of tasks a second; more are for more machines. New tasks go to shards below this number. docs/operations.md says how to add some and take some away. */
  readonly shards: number;
  /** Shards that get no new tasks, but serve those that they have, e.g. `[2]`. `GET /v1/shards` tells when one is empty. Default: none. */
  readonly drainingShards: readonly number[];

  /** Hard time limit of a task’s attempt: its worker ends it, and the edge does after a grace. Default 1 h. Must be at least the soft one. */
  readonly timeLimitMs: number;
  /** Soft time limit: the task is told to come to an end. Default 50 min. */
  readonly softTimeLimitMs: number;
  /** Failures after which an attempt is made again. Default 3; 0 never retries. */
  readonly maxRetries: number;
  /** Back-off between attempts that failed. Default 60 s · 2ⁿ, at most 600 s, of which full jitter takes a random share. */
  readonly retry: RetryPolicy;
  /** A task whose worker vanished is given out again at once, `max_retries` + this many times; then it is taken to kill its workers. Default 20. */
  readonly extraLosses: number;

  /** A worker’s right to a task, renewed by each heartbeat. Default 30 s. Too short: work is done twice; too long: it waits for the dead. */
  readonly leaseMs: number;
  /** How often workers are asked to send heartbeats. Default 8 s: three may be lost. */
  readonly heartbeatMs: number;
  /** How long the edge waits beyond the hard time limit before it ends the attempt itself. Default 5 s. */
  readonly hardLimitGraceMs: number;

  /** How long final tasks, with their results and idempotency keys, are kept. Default 24 h. */
  readonly resultRetentionMs: number;
  /** How long campaigns that are over are kept, with their models and the tasks that they are listed by. Default 30 days. */
  readonly campaignRetentionMs: number;
  /** How long events are kept for clients that resume. Default 24 h. */
  readonly eventRetentionMs: number;
  /** How often progress and counters of workers are written down and pushed. Default 500 ms. */
  readonly progressIntervalMs: number;

  /** Light tasks that run in the stateless Worker at the same time; 0 leaves them all to workers. Default 8. */
  readonly edgeConcurrency: number;
  /** Hard time limit of those. Default 20 s, under Cloudflare’s 30 s of CPU time. */
  readonly edgeTimeLimitMs: number;
  /** `compute_pareto_front` of more numbers (points × objectives) than this is left to workers. Default 2,000. */
  readonly edgeParetoValues: number;

  /** How long a control command awaits its worker’s reply. Default 10 s. */
  readonly controlTimeoutMs: number;
}

export const edgeDefaults: EdgeConfig = {
  shards: 1,
  drainingShards: [],
  timeLimitMs: taskDefaults.timeLimitMs,
  softTimeLimitMs: taskDefaults.softTimeLimitMs,
  maxRetries: taskDefaults.maxRetries,
  retry: defaultRetryPolicy,
  extraLosses: 20,
  leaseMs: leaseDefaults.leaseMs,
  heartbeatMs: leaseDefaults.heartbeatMs,
  hardLimitGraceMs: leaseDefaults.hardLimitGraceMs,
  resultRetentionMs: taskDefaults.resultRetentionMs,
  campaignRetentionMs: 30 * 24 * 3_600_000,
  eventRetentionMs: 24 * 3_600_000,
  progressIntervalMs: 500,
  edgeConcurrency: 8,
  edgeTimeLimitMs: 20_000,
  edgeParetoValues: 2_000,
  controlTimeoutMs: 10_000,
};

const durationMs = z.int().min(1);

const overridesSchema = z
  .strictObject({
    shards: z.int().min(1).max(1000),
    drainingShards: z.array(z.int().min(0)).max(1000),
    timeLimitMs: durationMs,
    softTimeLimitMs: durationMs,
    maxRetries: z.int().min(0).max(100),
    retry: z.strictObject({
      baseDelayMs: z.number().min(0),
      factor: z.number().min(1).max(100),
      maxDelayMs: z.number().min(0),
      jitter: z.boolean(),
    }),
    extraLosses: z.int().min(0),
    leaseMs: durationMs,
    heartbeatMs: durationMs,
    hardLimitGraceMs: z.int().min(0),
    resultRetentionMs: durationMs,
    campaignRetentionMs: durationMs,
    eventRetentionMs: durationMs,
    progressIntervalMs: durationMs,
    edgeConcurrency: z.int().min(0).max(1000),
    edgeTimeLimitMs: durationMs,
    edgeParetoValues: z.int().min(0),
    controlTimeoutMs: durationMs,
  })
  .partial();

/**
 * The defaults with a deployment’s overrides.
 * @throws TabgridError `not_configured`, naming each option that does not fit.
 */
export function loadConfig(env: { readonly TABGRID_CONFIG?: string | undefined }): EdgeConfig {
  if (env.TABGRID_CONFIG === undefined || env.TABGRID_CONFIG.trim() === '') return edgeDefaults;
  const parsed = overridesSchema.safeParse(parseJson(env.TABGRID_CONFIG));
  if (!parsed.success) throw misconfigured(faultsOf(parsed.error));
  const given = Object.fromEntries(Object.entries(parsed.data).filter(([, value]) => value !== undefined));
  const config: EdgeConfig = { ...edgeDefaults, ...given };
  if (config.heartbeatMs * 2 > config.leaseMs) {
    throw misconfigured([{ path: 'heartbeatMs', message: `expected at most half of leaseMs, ${config.leaseMs / 2}` }]);
  }
  if (config.softTimeLimitMs > config.timeLimitMs) {
    throw misconfigured([{ path: 'softTimeLimitMs', message: `expected at most timeLimitMs, ${config.timeLimitMs}` }]);
  }
  const stray = config.drainingShards.find((shard) => shard >= config.shards);
  if (stray !== undefined) {
    const message = `expected numbers below shards, ${config.shards}, got ${stray}`;
    throw misconfigured([{ path: 'drainingShards', message }]);
  }
  if (acceptingShards(config).length === 0) {
    throw misconfigured([{ path: 'drainingShards', message: 'expected at least one shard to be left out' }]);
  }
  return config;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw misconfigured([{ path: '', message: 'expected a JSON object' }]);
  }
}

function misconfigured(faults: { path: string; message: string }[]): TabgridError {
  const [first] = faults;
  const where = first?.path ? `TABGRID_CONFIG.${first.path}` : 'TABGRID_CONFIG';
  return new TabgridError('not_configured', `${where}: ${first?.message ?? 'does not fit'}`, { details: { faults } });
}
