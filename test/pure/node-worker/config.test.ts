import { describe, expect, it } from 'vitest';
import { workerConfig } from '../../../node-worker/config.ts';

describe('the options of a Node worker', () => {
  const token = 'good';

  it('compute in threads unless they say solo, and know no other pool', () => {
    expect(workerConfig({ token }).pool).toBe('threads');
    expect(workerConfig({ token, pool: 'solo' }).pool).toBe('solo');
    expect(() => workerConfig({ token, pool: 'gevent' as never })).toThrow(/pool: .*"threads"\|"solo"/);
  });

  it.each(['maxTasksPerChild', 'maxMemoryPerChildBytes'])('refuse %s where there are no threads', (name) => {
    const limited = { token, [name]: 100 * 1024 * 1024 };
    expect(workerConfig(limited)).toMatchObject(limited);
    expect(() => workerConfig({ ...limited, pool: 'solo' })).toThrow(`${name}: expected none beside the pool solo`);
  });
});
