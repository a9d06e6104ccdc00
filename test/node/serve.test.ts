import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { edgePid, freshFolder, run, start, startTestServe } from './helpers/processes.ts';
import { isAlive, untilGone } from './helpers/wait.ts';

const asked = async (url: string): Promise<number | undefined> => (await fetch(url).catch(() => undefined))?.status;

describe('tabgrid serve', () => {
  it('serves the API and the pages, and keeps its secrets to itself', async () => {
    const state = await freshFolder();
    const { url, token } = await startTestServe(state);
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
    const page = await fetch(`${url}/`);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(await asked(`${url}/no-such-page`)).toBe(404);
    expect(await asked(`${url}/v1/tasks`)).toBe(401);
    expect((await fetch(`${url}/v1/tasks`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    for (const name of ['secret', 'token']) expect((await stat(join(state, name))).mode & 0o777).toBe(0o600);
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    expect(await readFile(join(state, 'workerd.capnp'), 'utf8')).not.toContain(
      (await readFile(join(state, 'secret'), 'utf8')).trim(),
    );
  });

  it('remembers what it was told, with the same token, after a stop', async () => {
    const state = await freshFolder();
    const first = await startTestServe(state);
    await first.grid.files.put('/datasets/a.csv', 'x,y\n1,2\n');
    const task = await first.grid.submit('ping', {}, { countdownSeconds: 86_400 });
    expect((await first.running.stop('SIGINT')).status).toBe(0);
    const second = await startTestServe(state);
    expect(second.token).toBe(first.token);
    expect(await (await second.grid.files.get('/datasets/a.csv')).text()).toBe('x,y\n1,2\n');
    expect((await second.grid.result(task.id).view()).state).toBe('PENDING');
  });

  it('runs light tasks by itself', async () => {
    const { grid } = await startTestServe(await freshFolder());
    const result = await (await grid.submit('ping', {})).get({ timeoutSeconds: 60 });
    expect(result.status).toBe('pong');
  });

  it('starts the edge again when it dies, on the same port, with nothing lost', async () => {
    const state = await freshFolder();
    const { running, grid } = await startTestServe(state);
    const task = await grid.submit('ping', {}, { countdownSeconds: 86_400 });
    const pid = await edgePid(state);
    process.kill(pid, 'SIGKILL');
    expect((await grid.result(task.id).view()).state).toBe('PENDING');
    expect(await edgePid(state)).not.toBe(pid);
    expect(running.child.exitCode).toBeNull();
  });

  it('takes no client’s offer to compress what is said on a socket', async () => {
    const { url, token } = await startTestServe(await freshFolder());
    const upgrade = request(`${url}/v1/submit`, {
      headers: {
        connection: 'upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
        authorization: `Bearer ${token}`,
      },
    });
    const [answer, socket] = (await once(upgrade.end(), 'upgrade')) as [IncomingMessage, Socket];
    socket.destroy();
    expect(answer.statusCode).toBe(101);
    expect(answer.headers).not.toHaveProperty('sec-websocket-extensions');
  });

  it('leaves no process behind when it is stopped', async () => {
    const state = await freshFolder();
    const { running } = await startTestServe(state);
    const pid = await edgePid(state);
    await running.stop('SIGTERM');
    expect(isAlive(pid)).toBe(false);
    expect(await readdir(state)).not.toContain('lock');
  });

  it('takes the edge with it when it is killed, and starts anew on the same state', async () => {
    const state = await freshFolder();
    const { running } = await startTestServe(state);
    const pid = await edgePid(state);
    await running.stop('SIGKILL');
    await untilGone(pid);
    await startTestServe(state);
  });

  it('ends an edge that a killed one left behind', async () => {
    const state = await freshFolder();
    const { running } = await startTestServe(state);
    const pid = await edgePid(state);
    // The guard is the shell that has the edge’s process id as its last argument.
    const guards = execFileSync('pgrep', ['-f', `read -r word.* ${pid}$`], { encoding: 'utf8' })
      .trim()
      .split('\n');
    for (const guard of guards) process.kill(Number(guard), 'SIGKILL');
    await running.stop('SIGKILL');
    expect(isAlive(pid)).toBe(true);
    await startTestServe(state);
    expect(isAlive(pid)).toBe(false);
  });

  it('refuses a state directory that another one serves', async () => {
    const state = await freshFolder();
    const { url } = await startTestServe(state);
    const second = await run(['serve', '--port', '0', '--state', state]);
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(`is already being served at ${url}`);
  });

  it('says so when the port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const refused = await run(['serve', '--port', String(port), '--state', await freshFolder()]);
    other.close();
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(`port ${port} on 127.0.0.1 is taken`);
  });

  it('says which option of its configuration does not fit', async () => {
    const state = await freshFolder();
    const refused = await run(['serve', '--port', '0', '--state', state], { TABGRID_CONFIG: '{"leaseMs": 0}' });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('TABGRID_CONFIG.leaseMs');
    expect(await readdir(state)).not.toContain('lock');
  });

  it('works in a folder with spaces, quotes and a long name', async () => {
    const state = join(await freshFolder(), `an "odd" näme ${'x'.repeat(100)}`);
    await mkdir(state);
    const { grid } = await startTestServe(state);
    await grid.files.put('/a.txt', 'text');
    expect(await (await grid.files.get('/a.txt')).text()).toBe('text');
  });

  it('speaks TLS with a certificate', async () => {
    const folder = await freshFolder();
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-days', '1'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, ...subject],
      { stdio: 'ignore' },
    );
    const running = start([
      'serve',
      '--json',
      '--port',
      '0',
      '--state',
      join(folder, 'state'),
      '--tls-cert',
      certificate,
      '--tls-key',
      key,
    ]);
    const [, url = ''] = await running.printed(/"url":"([^"]+)"/);
    expect(url).toMatch(/^https:\/\/localhost:/);
    const body = execFileSync('curl', ['-s', '--cacert', certificate, `${url}/healthz`], { encoding: 'utf8' });
    expect(JSON.parse(body)).toEqual({ status: 'ok' });
  });

  it.each([
    [['serve', '--port', 'x'], /Expected a port/],
    [['serve', '--tls-cert', 'a.pem'], /go together/],
    [
      ['serve', '--tls-cert', '/no/a.pem', '--tls-key', '/no/b.pem', '--state', '/tmp/tabgrid-never'],
      /cannot read \/no\/a.pem/,
    ],
  ])('refuses %j', async (args, message) => {
    const refused = await run(args);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(message);
  });
});
