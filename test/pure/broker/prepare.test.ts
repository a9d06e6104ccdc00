import { describe, expect, it } from 'vitest';
import { signatureSchema, TabgridError, type Signature, type TaskId } from '#protocol';
import { edgeDefaults } from '../../../edge/config.ts';
import { prepare } from '../../../edge/tasks/prepare.ts';

const nowMs = Date.parse('2026-11-21T00:00:00Z');
const make = (signature: Signature, more = {}) => prepare(signature, { owner: 'alice', nowMs, ...more });
const candidates = [[1], [2], [3]];
const evaluate = { task: 'evaluate_candidates', kwargs: { candidates, evaluator: { kind: 'named', name: 'sim' } } };

function refusal(signature: Signature): TabgridError {
  try {
    make(signature);
  } catch (error) {
    if (error instanceof TabgridError) return error;
  }
  throw new Error('it was not refused');
}

describe('preparing a task', () => {
  it('fills in every default', () => {
    expect(make({ task: 'ping' })).toEqual({
      task: 'ping',
      args: [],
      kwargs: {},
      needs: ['ping'],
      edge: true,
      queue: 'default',
      priority: 5,
      eta_ms: null,
      expires_ms: null,
      max_retries: 3,
      retry: edgeDefaults.retry,
      soft_time_limit_ms: 3_000_000,
      time_limit_ms: 3_600_000,
      labels: [],
      owner: 'alice',
      parent: null,
      retry_of: null,
      idempotency_key: null,
    });
  });

  it('knows a task by its dotted name', () => {
    expect(make({ task: 'tasks.simple_tasks.ping' }).task).toBe('ping');
  });

  it('merges positional arguments and keeps them as they came', () => {
    const task = make({ task: 'compute_pareto_front', args: [[[1, 2]], ['min', 'max']] });
    expect(task.kwargs).toEqual({ points: [[1, 2]], directions: ['min', 'max'] });
    expect(task.args).toEqual([[[1, 2]], ['min', 'max']]);
  });

  it('names what a worker must provide', () => {
    expect(make(evaluate).needs).toEqual(['evaluate_candidates', 'evaluator:sim']);
  });

  it('multiplies time limits by items', () => {
    expect(make(evaluate)).toMatchObject({ soft_time_limit_ms: 9_000_000, time_limit_ms: 10_800_000 });
    expect(make({ ...evaluate, time_limit: 2 })).toMatchObject({ soft_time_limit_ms: 6000, time_limit_ms: 6000 });
    expect(refusal({ ...evaluate, time_limit: 2, soft_time_limit: 3 }).message).toBe(
      'soft_time_limit: expected at most the hard time limit, 2 s',
    );
  });

  it('turns countdown, eta and expires into times', () => {
    expect(make({ task: 'ping', countdown: 1.5, expires: 3 })).toMatchObject({
      eta_ms: nowMs + 1500,
      expires_ms: nowMs + 3000,
    });
    expect(make({ task: 'ping', eta: '2026-11-21T01:00:00+01:00' }).eta_ms).toBe(nowMs);
    expect(refusal({ task: 'ping', countdown: 1, eta: '2026-11-21T00:00:00Z' }).code).toBe('invalid_request');
    expect(refusal({ task: 'ping', countdown: 10, expires: 5 }).details).toMatchObject({
      faults: [{ path: 'expires' }],
    });
  });

  it('takes the back-off that is asked for', () => {
    expect(make({ task: 'ping', retry_backoff: false }).retry).toMatchObject({ baseDelayMs: 0, maxDelayMs: 0 });
    expect(make({ task: 'ping', retry_backoff: 5 }).retry).toMatchObject({ baseDelayMs: 5000, maxDelayMs: 600_000 });
    expect(make({ task: 'ping', retry_backoff: 900 }).retry).toMatchObject({
      baseDelayMs: 900_000,
      maxDelayMs: 900_000,
    });
    expect(make({ task: 'ping', retry_backoff: true }).retry).toEqual(edgeDefaults.retry);
    expect(make({ task: 'ping', retry_backoff: 900, retry_backoff_max: 30, retry_jitter: false }).retry).toEqual({
      baseDelayMs: 900_000,
      factor: 2,
      maxDelayMs: 30_000,
      jitter: false,
    });
    const { retry_on: on, dont_retry_on: not } = make({
      task: 'ping',
      retry_on: ['task_failed', 'task_failed'],
      dont_retry_on: ['worker_lost'],
    });
    expect([on, not]).toEqual([['task_failed'], ['worker_lost']]);
    expect(signatureSchema.safeParse({ task: 'ping', retry_on: ['ValueError'] }).success).toBe(false);
  });

  it('refuses what it does not know, with the path', () => {
    expect(refusal({ task: 'nope' })).toMatchObject({ code: 'unknown_task' });
    expect(refusal({ task: 'ping', kwargs: { x: 1 } })).toMatchObject({ code: 'invalid_arguments' });
    expect(refusal({ task: 'evaluate_candidates', kwargs: { candidates: [] } }).details).toMatchObject({
      faults: expect.arrayContaining([expect.objectContaining({ path: 'kwargs.candidates' })]),
    });
  });

  it('refuses arguments over the limit', () => {
    const rows = Array.from({ length: 60_000 }, (_, index) => [index / 7, index / 11]);
    const kwargs = { rows, inputs: ['a'], targets: ['b'] };
    expect(refusal({ task: 'train_surrogate', kwargs }).code).toBe('body_too_large');
  });

  it('holds a task that an object stands for, and lets nobody submit it by itself', () => {
    const kwargs = { campaign_id: 'c' };
    const notify = { object: 'campaign' as const, name: 'c' };
    expect(make({ task: 'run_campaign', kwargs }, { notify, taskId: '0-x' as TaskId })).toMatchObject({
      held: true,
      notify,
      task_id: '0-x',
    });
    expect(refusal({ task: 'run_campaign', kwargs }).code).toBe('invalid_request');
  });

  it('leaves large fronts to workers', () => {
    const points = (count: number) => Array.from({ length: count }, () => [1, 2]);
    const front = (count: number) =>
      make({ task: 'compute_pareto_front', kwargs: { points: points(count), directions: ['min', 'min'] } });
    expect(front(1000).edge).toBe(true);
    expect(front(1001).edge).toBe(false);
  });
});
