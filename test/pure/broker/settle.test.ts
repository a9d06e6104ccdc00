import { describe, expect, it } from 'vitest';
import type { Outcome } from '#protocol';
import { settle } from '../../../edge/broker/settle.ts';
import type { TaskSpec } from '../../../edge/broker/task-record.ts';

const spec: TaskSpec = {
  max_retries: 2,
  retry: { baseDelayMs: 1000, factor: 2, maxDelayMs: 3000, jitter: true },
  soft_time_limit_ms: 1,
  time_limit_ms: 1,
  eta_ms: null,
  parent: null,
  retry_of: null,
};
const fresh = { retries: 0, losses: 0, revoking: false, spec };
const failed: Outcome = { type: 'failure', retryable: true, error: { type: 'task_failed', message: 'm' } };
const config = { extraLosses: 3 };
const settled = (record: Partial<typeof fresh>, end: Parameters<typeof settle>[1], random = 0.5) =>
  settle({ ...fresh, ...record }, end, 10_000, random, config);

describe('settling an attempt', () => {
  it('ends a task with its result', () => {
    expect(settled({}, { type: 'success', result: 1 })).toEqual({ event: 'succeed', error: null, dueMs: null });
  });

  it('retries with full jitter below a cap that doubles and is bounded', () => {
    expect(settled({}, failed)).toMatchObject({ event: 'fail', dueMs: 10_500 });
    expect(settled({ retries: 1 }, failed)).toMatchObject({ event: 'fail', dueMs: 11_000 });
    const steep = { ...spec, max_retries: 9 };
    expect(settled({ retries: 5, spec: steep }, failed, 0.999)).toMatchObject({ dueMs: 12_997 });
  });

  it('retries at once where there is no back-off', () => {
    const eager = { ...spec, retry: { ...spec.retry, baseDelayMs: 0, maxDelayMs: 0 } };
    expect(settled({ spec: eager }, failed)).toMatchObject({ event: 'fail', dueMs: null });
  });

  it('fails when the retries are used up, when no retry can mend it, or when nobody wants it', () => {
    expect(settled({ retries: 2 }, failed).event).toBe('fail_finally');
    expect(settled({}, { ...failed, retryable: false }).event).toBe('fail_finally');
    expect(settled({ revoking: true }, failed).event).toBe('fail_finally');
  });

  it('retries after the errors that the task names, whatever the worker says, and no others', () => {
    const only = { ...spec, retry_on: ['task_failed' as const] };
    expect(settled({ spec: only }, { ...failed, retryable: false }).event).toBe('fail');
    expect(settled({ spec: { ...spec, retry_on: ['time_limit_exceeded' as const] } }, failed).event).toBe(
      'fail_finally',
    );
    const never = { ...spec, dont_retry_on: ['task_failed' as const] };
    expect(settled({ spec: never }, failed).event).toBe('fail_finally');
    expect(settled({ spec: { ...only, ...never } }, failed).event).toBe('fail_finally');
    expect(settled({ spec: never }, { type: 'lost' }).event).toBe('lose');
  });

  it('does not give out again what must not run twice when its worker vanishes', () => {
    const once = { ...spec, dont_retry_on: ['worker_lost' as const] };
    expect(settled({ spec: once }, { type: 'lost' })).toMatchObject({
      event: 'lose_finally',
      error: { type: 'worker_lost' },
    });
    expect(settled({ spec: once }, { type: 'released', reason: '' }).event).toBe('release');
  });

  it('redelivers after a lost lease without back-off, on a budget of its own', () => {
    expect(settled({ retries: 2, losses: 4 }, { type: 'lost' })).toMatchObject({ event: 'lose', dueMs: null });
    expect(settled({ losses: 5 }, { type: 'lost' }).event).toBe('lose_finally');
  });

  it('does not give out again what was revoked while it ran', () => {
    expect(settled({ revoking: true }, { type: 'released', reason: '' }).event).toBe('terminate');
    expect(settled({ revoking: true }, { type: 'lost' }).event).toBe('terminate');
    expect(settled({ revoking: true }, { type: 'success', result: 1 }).event).toBe('succeed');
  });
});
