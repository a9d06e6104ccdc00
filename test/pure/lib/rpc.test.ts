import { afterEach, describe, expect, it, vi } from 'vitest';
import { TabgridError } from '#protocol';
import { call, reply, unwrap } from '../../../edge/lib/rpc.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a reply', () => {
  it('carries a value', async () => {
    expect(unwrap(await reply(() => 7))).toBe(7);
  });

  it('carries an error with its code, details and time to wait', async () => {
    const error = new TabgridError('queue_full', 'full', { details: { path: 'queue' }, retryAfterSeconds: 3 });
    const answer = structuredClone(await reply(() => Promise.reject(error)));
    expect(answer).toEqual({
      error: { code: 'queue_full', message: 'full', details: { path: 'queue' }, retry_after: 3 },
    });
    expect(() => unwrap(answer)).toThrow(
      expect.objectContaining({
        code: 'queue_full',
        message: 'full',
        details: { path: 'queue' },
        retryAfterSeconds: 3,
      }),
    );
  });

  it('hides a defect’s words and logs them', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const answer = await reply(() => {
      throw new Error('secret');
    });
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(answer).toMatchObject({ error: { code: 'internal' } });
    expect(logged.mock.calls[0]?.[0]).toContain('secret');
  });

  it('of an object that cannot be reached is "unavailable", to be tried again', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    await expect(call(Promise.reject(new Error('reset')))).rejects.toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: 1,
    });
  });
});
