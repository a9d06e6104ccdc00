import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshFolder, run, Running, start, startTestServe, startTestWorker } from './helpers/processes.ts';
import { replaySpec, tableCsv } from './helpers/campaigns.ts';

const nowhere = ['--url', 'http://127.0.0.1:9', '--token', 'x'];

describe('bad usage', () => {
  it.concurrent.each([
    [[], /Usage: tabgrid/],
    [['fly'], /unknown command 'fly'/],
    [['submit'], /missing required argument 'task'/],
    [['submit', 'ping', '--kwargs', '{', ...nowhere], /--kwargs is not JSON/],
    [['submit', 'ping', '--kwargs', '[1]', ...nowhere], /--kwargs: expected a JSON object/],
    [['submit', 'ping', '--priority', '12', ...nowhere], /priority/],
    [['submit', 'ping', '--priority', 'high', ...nowhere], /--priority: expected a whole number/],
    [['events', '--after', '-1', ...nowhere], /--after/],
    [['submit', 'ping', '--countdown', 'soon', ...nowhere], /--countdown: expected a duration/],
    [['inspect', 'nothing', ...nowhere], /'nothing' is invalid/],
    [['events', '--types', 'task-eaten', ...nowhere], /--types: expected some of/],
    [['token', '--scope', 'all'], /--scope: expected one of/],
    [['token'], /required option '--scope/],
    [['token', '--scope', 'read', '--ttl', '400d'], /--ttl: expected at most 366d/],
    [['token', '--scope', 'read', '--subject', ''], /--subject: expected 1 to 128/],
    [['campaign', 'run', '/no/such.json', ...nowhere], /cannot read \/no\/such.json/],
    [['worker', '--concurrency', '0', '--token', 'x'], /--concurrency: expected a whole number/],
    [['worker', '--evaluator', 'nameless', '--token', 'x'], /--evaluator: expected name='command'/],
    [['worker', ...nowhere, ...nowhere, '--token', 'y'], /--token: expected one, or one for each --url \(2\), got 3/],
    [['worker', '--rate-limit', 'often', '--token', 'x'], /: --rate-limit: expected a rate/],
    [['worker', '--component', './none.mjs', '--token', 'x'], /: --component: .*none\.mjs/],
    [['inspect', 'stats', '--url', 'localhost'], /--url: expected an address/],
  ])('exits with 2 for %j', async (args, message) => {
    const { status, stderr } = await new Running(args).ended;
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });

  it('wants a token', async () => {
    const { status, stderr } = await run(['inspect', 'stats', '--state', await freshFolder()]);
    expect([status, stderr]).toEqual([2, expect.stringContaining('no token: pass --token')]);
  });
});

describe('help', () => {
  it.concurrent.each([
    'start',
    'serve',
    'worker',
    'submit',
    'campaign',
    'files',
    'inspect',
    'events',
    'token',
    'report',
  ])('describes %s', async (command) => {
    const { status, stdout } = await new Running([command, '--help']).ended;
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: tabgrid ${command}`);
  });
});

describe('a grid that is not there', () => {
  it('is told of, with status 1', async () => {
    const { status, stderr } = await run(['inspect', 'stats', ...nowhere]);
    expect(status).toBe(1);
    expect(stderr).toContain('the grid cannot be reached');
  });

  it('is part of the report', async () => {
    const { status, stdout } = await run(['report', '--json', ...nowhere]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ node: process.version, grid: { reachable: false } });
  });
});

describe('the commands', () => {
  it('submit tasks, wait for them, and tell of failures by their status', async () => {
    const serve = await startTestServe(await freshFolder());
    startTestWorker(serve, 'worker');
    const at = ['--url', serve.url, '--state', serve.state];

    const submitted = await run(['submit', 'ping', '--json', ...at]);
    expect(JSON.parse(submitted.stdout)).toEqual({ task_id: expect.stringMatching(/^0-/) });

    const waited = await run(['submit', 'ping', '--wait', '--json', ...at]);
    expect(waited.status).toBe(0);
    expect(JSON.parse(waited.stdout)).toMatchObject({ state: 'SUCCESS', result: { status: 'pong' } });

    const missing = { dataset_path: '/none.csv', inputs: ['a'], targets: ['b'] };
    const failed = await run(['submit', 'train_surrogate', '--wait', '--kwargs', JSON.stringify(missing), ...at]);
    expect([failed.status, failed.stderr]).toEqual([1, expect.stringContaining('file_not_found')]);

    const wrong = await run(['submit', 'train_surrogate', '--kwargs', '{"epochs": 0, "colour": 1}', ...at]);
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toMatch(/kwargs\.epochs.*\n.*kwargs/s);

    const unknown = await run(['submit', 'fly', '--json', ...at]);
    expect(unknown.status).toBe(2);
    expect(JSON.parse(unknown.stderr)).toMatchObject({ error: { code: 'unknown_task' } });
  });

  it('store and fetch files', async () => {
    const { url, state } = await startTestServe(await freshFolder());
    const at = ['--url', url, '--state', state];
    const folder = await freshFolder();
    const [local, copy] = [join(folder, 'in.bin'), join(folder, 'out.bin')];
    const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 256));
    await writeFile(local, content);
    const stored = await run(['files', 'put', local, '/data/x.bin', '--json', ...at]);
    expect(JSON.parse(stored.stdout)).toMatchObject({ path: '/data/x.bin', bytes: content.length });
    expect((await run(['files', 'get', '/data/x.bin', copy, ...at])).status).toBe(0);
    expect((await readFile(copy)).equals(content)).toBe(true);
    expect((await run(['files', 'list', '/data/', ...at])).stdout).toContain('/data/x.bin');
    expect((await run(['files', 'get', '/data/none', ...at])).status).toBe(1);
    expect((await run(['files', 'put', '/no/such', '/a', ...at])).status).toBe(2);
    expect((await run(['files', 'put', local, '/../a', ...at])).status).not.toBe(0);
  });

  it('run campaigns and show them', async () => {
    const serve = await startTestServe(await freshFolder());
    startTestWorker(serve, 'worker');
    const at = ['--url', serve.url, '--state', serve.state];
    await serve.grid.files.put('/datasets/table.csv', tableCsv());
    const spec = join(await freshFolder(), 'spec.json');
    await writeFile(spec, JSON.stringify({ ...replaySpec, budget: 12 }));

    const watched = await run(['campaign', 'run', spec, '--watch', ...at]);
    expect(watched.status).toBe(0);
    expect(watched.stderr).toContain('replay: 100 %');
    expect(watched.stdout).toMatch(/state +SUCCESS.*evaluated +12 of 12.*best +y /s);

    const started = await run(['campaign', 'run', spec, '--json', ...at]);
    const { campaign_id: id } = JSON.parse(started.stdout) as { campaign_id: string };
    expect((await run(['campaign', 'list', ...at])).stdout).toContain(id);
    expect((await run(['campaign', 'show', id, ...at])).stdout).toContain('replay');
    const exported = await run(['campaign', 'export', id, '--format', 'json', ...at]);
    expect(JSON.parse(exported.stdout)).toMatchObject({ campaign_id: id });

    await writeFile(spec, JSON.stringify({ ...replaySpec, budget: -1, colour: 'red' }));
    const refused = await run(['campaign', 'run', spec, ...at]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(/budget: .*/);
    expect(refused.stderr).toContain('colour');
  });

  it('look at the grid', async () => {
    const serve = await startTestServe(await freshFolder());
    const worker = startTestWorker(serve, 'worker@here');
    await worker.printed(/Working for/);
    const at = ['--url', serve.url, '--state', serve.state];
    await serve.grid.submit('ping', {}, { countdownSeconds: 3600, labels: ['later'] });
    expect((await run(['inspect', 'ping', ...at])).stdout).toMatch(/worker@here .* pong$/m);
    expect((await run(['inspect', 'registered', ...at])).stdout).toContain('train_surrogate');
    expect(JSON.parse((await run(['inspect', 'scheduled', '--json', ...at])).stdout)).toMatchObject({
      replies: [{ worker_id: null, reply: [{ task: 'ping' }] }],
    });
    expect((await run(['inspect', 'active', ...at])).stdout).toMatch(/^task id/);
    expect((await run(['inspect', 'stats', ...at])).stdout).toMatch(/worker@here +online +trusted/);
    expect((await run(['report', ...at])).stdout).toMatch(/workers online/);
    const unknown = await run(['inspect', 'ping', '-d', 'nobody', ...at]);
    expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringContaining('nobody')]);
    const control = (...args: string[]) => run(['control', ...args, '-d', 'worker@*', ...at]);
    expect((await control('rate_limit', 'ping', '5/s')).stdout).toMatch(/worker@here .* done$/m);
    expect((await control('time_limit', 'ping', '5', '10')).status).toBe(0);
    const { replies } = await serve.grid.inspect('stats');
    expect(replies[0]?.reply).toMatchObject({
      task_limits: { ping: { rate_limit: '5/s', soft_time_limit: 5, time_limit: 10 } },
    });
    expect((await control('rate_limit', 'nothing', '5/s')).stderr).toContain('not every worker');
    expect((await control('add_consumer', 'extra')).status).toBe(0);
    // It connects anew to say so.
    await worker.printed(/Working for[^]*Working for/);
    expect((await control('shutdown')).status).toBe(0);
    expect((await worker.ended).status).toBe(0);
  });

  it('list, revoke and repeat many tasks', async () => {
    const serve = await startTestServe(await freshFolder());
    const at = ['--url', serve.url, '--state', serve.state];
    for (let n = 0; n < 3; n++) await serve.grid.submit('ping', {}, { countdownSeconds: 3600, labels: ['later'] });
    expect((await run(['tasks', 'list', '--label', 'later', ...at])).stdout.trimEnd().split('\n')).toHaveLength(4);
    expect((await run(['tasks', 'revoke', '--label', 'later', ...at])).stdout).toBe('3 revoked\n');
    const filter = ['--label', 'later', '--task-state', 'revoked', '--since', '1h', '--json'];
    const listed = JSON.parse((await run(['tasks', 'list', ...filter, ...at])).stdout) as { task_id: string }[];
    expect(listed).toHaveLength(3);
    const repeat = async () =>
      (await run(['tasks', 'retry', ...filter, ...at])).stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { task_id: string; retry_of: string });
    const made = await repeat();
    expect(made.map(({ retry_of: of }) => of)).toEqual(listed.map(({ task_id: id }) => id));
    expect(await repeat()).toEqual(made);
    expect((await run(['tasks', 'show', made[0]!.task_id, ...at])).stdout).toContain('"retry_of"');
    expect((await run(['tasks', 'revoke', ...at])).status).toBe(2);
  });

  it('print events as they happen', async () => {
    const { grid, url, state } = await startTestServe(await freshFolder());
    const events = start(['events', '--dump', '--url', url, '--state', state]);
    await events.printed(/Listening/, 'stderr');
    await (await grid.submit('ping', {})).get();
    await events.printed(/task-succeeded +ping /);
    expect((await events.stop('SIGINT')).status).toBe(0);
    const past = ['events', '--since', '1h', '--types', 'task-sent,task-succeeded', '--no-follow', '--json'];
    const { stdout } = await run([...past, '--url', url, '--state', state]);
    const told = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(told).toMatchObject([{ type: 'task-sent', queue: 'default' }, { type: 'task-succeeded' }]);
  });

  it('mint tokens that open what they say', async () => {
    const { url, state } = await startTestServe(await freshFolder());
    const minted = await run(['token', '--scope', 'read', '--subject', 'ann', '--ttl', '1h', '--state', state]);
    const token = minted.stdout.trim();
    expect((await run(['inspect', 'stats', '--url', url, '--token', token])).status).toBe(0);
    const refused = await run(['submit', 'ping', '--json', '--url', url, '--token', token]);
    expect(refused.status).toBe(1);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'forbidden' } });
    const forged = await run(['inspect', 'stats', '--url', url, '--token', `${token}x`]);
    expect([forged.status, forged.stderr]).toEqual([1, expect.stringContaining('unauthorized')]);
  });
});

describe('a worker', () => {
  it('is refused with a token of another deployment', async () => {
    const { url } = await startTestServe(await freshFolder());
    const { status, stderr } = await run(['worker', '--url', url, '--token', 'a.b']);
    expect(status).toBe(1);
    expect(stderr).toContain('the edge refused this worker');
  });

  it('serves several edges, each with its own token', async () => {
    const serves = await Promise.all([startTestServe(await freshFolder()), startTestServe(await freshFolder())]);
    const worker = start([
      'worker',
      '-n',
      'both',
      ...serves.flatMap(({ url, token }) => ['--url', url, '--token', token]),
    ]);
    const [, urls] = await worker.printed(/Working for (.*)\.$/m);
    expect(urls?.split(', ')).toEqual(serves.map(({ url }) => url));
    const sphere = { evaluator: { kind: 'builtin' as const, name: 'sphere' } };
    const values = await Promise.all(
      serves.map(async ({ grid }, n) => {
        const task = await grid.submit('evaluate_candidates', { candidates: [[n + 1, 1]], ...sphere });
        return (await task.get()).values;
      }),
    );
    expect(values).toEqual([[{ y: 2 }], [{ y: 5 }]]);
    expect((await worker.stop('SIGTERM')).status).toBe(0);
    for (const { grid } of serves) {
      expect((await grid.workers()).find(({ name }) => name === 'both')).toMatchObject({
        state: 'offline',
        succeeded: 1,
      });
    }
  });

  it('says hello, and leaves when it is asked to', async () => {
    const serve = await startTestServe(await freshFolder());
    const worker = startTestWorker(serve, 'polite');
    await worker.printed(/Working for/);
    expect((await worker.stop('SIGTERM')).status).toBe(0);
    expect((await serve.grid.workers()).find(({ name }) => name === 'polite')?.state).toBe('offline');
  });
});
