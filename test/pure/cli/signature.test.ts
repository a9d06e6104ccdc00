import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { signatureSchema, taskOptionsSchema, type Signature } from '#protocol';
import { parseTime } from '../../../client/cli/lib/duration.ts';
import { signatureOf, withSignature, type SignatureFlags } from '../../../client/cli/lib/signature.ts';

function parsed(...args: string[]): Promise<Signature> {
  const command = withSignature(new Command()).exitOverride();
  return signatureOf('ping', command.parse(args, { from: 'user' }).opts<SignatureFlags>());
}

describe('a signature on the command line', () => {
  it('has a flag for every option of a task', () => {
    const flags = withSignature(new Command()).options.map((option) => option.long?.replace(/^--(no-)?/, ''));
    const options = Object.keys(taskOptionsSchema.shape).map((name) =>
      name === 'labels' ? 'label' : name.replaceAll('_', '-'),
    );
    expect(flags).toEqual(expect.arrayContaining(options));
  });

  it('says what its flags say, and nothing that they do not', async () => {
    expect(await parsed()).toEqual({ task: 'ping', kwargs: {} });
    const retries = ['--max-retries', '9', '--retry-backoff', '2m', '--retry-backoff-max', '1h', '--no-retry-jitter'];
    const codes = ['--retry-on', 'worker_lost', 'task_failed', '--dont-retry-on', 'invalid_input'];
    const limits = ['--soft-time-limit', '90s', '--time-limit', '2m', '--expires', '1d'];
    const flow = ['--queue', 'ml', '--priority', '9', '--concurrency-key', 'k', '--concurrency-limit', '2'];
    const signature = await parsed(
      ...retries,
      ...codes,
      ...limits,
      ...flow,
      '--label',
      'a',
      'b',
      '--kwargs',
      '{"x":1}',
    );
    expect(signature).toEqual({
      task: 'ping',
      kwargs: { x: 1 },
      max_retries: 9,
      retry_backoff: 120,
      retry_backoff_max: 3600,
      retry_jitter: false,
      retry_on: ['worker_lost', 'task_failed'],
      dont_retry_on: ['invalid_input'],
      soft_time_limit: 90,
      time_limit: 120,
      expires: 86_400,
      queue: 'ml',
      priority: 9,
      concurrency_key: 'k',
      concurrency_limit: 2,
      labels: ['a', 'b'],
    });
    expect(signatureSchema.parse(signature)).toEqual(signature);
    expect(await parsed('--retry-backoff', 'none')).toMatchObject({ retry_backoff: false });
  });

  it.each([
    [['--priority', '12'], 'priority'],
    [['--retry-on', 'hunger'], 'retry_on.0'],
    [['--time-limit', 'soon'], '--time-limit: expected a duration'],
    [['--concurrency-limit', '0'], '--concurrency-limit: expected a whole number'],
  ])('refuses %j by its name', async (args, message) => {
    await expect(parsed(...args)).rejects.toThrow(message);
  });
});

describe('a time on the command line', () => {
  it('is told with its offset', () => {
    expect(parseTime('--eta', '2030-01-31T08:00:00+01:00')).toBe('2030-01-31T07:00:00.000Z');
    for (const text of ['tomorrow', '2030-01-31', '2030-01-31T08:00:00']) {
      expect(() => parseTime('--eta', text)).toThrow('--eta: expected a time with its offset');
    }
  });
});
