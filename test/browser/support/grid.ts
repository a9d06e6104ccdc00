import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CampaignView, Scope, TaskView, WorkerView } from '#protocol';

const tabgrid = fileURLToPath(new URL('../../../bin/tabgrid.js', import.meta.url));

/** A grid of its own, as `tabgrid serve` runs it: fresh state, a free port. */
export class TestGrid {
  readonly url: string;
  readonly #state: string;
  readonly #workers: ChildProcess[] = [];
  #server: ChildProcess;
  #token = '';

  private constructor(state: string, server: ChildProcess, url: string) {
    this.#state = state;
    this.#server = server;
    this.url = url;
  }

  static async start(): Promise<TestGrid> {
    const state = await mkdtemp(join(tmpdir(), 'tabgrid-browser-'));
    const { server, url, token } = await serve(state, 0);
    const grid = new TestGrid(state, server, url);
    grid.#token = token;
    return grid;
  }

  /** Kills the server without a word. */
  async kill(): Promise<void> {
    await end(this.#server, 'SIGKILL');
  }

  /** Starts it again, on the same state and port. */
  async revive(): Promise<void> {
    const { server, token } = await serve(this.#state, Number(new URL(this.url).port));
    this.#server = server;
    this.#token = token;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => end(worker, 'SIGTERM')));
    await end(this.#server, 'SIGTERM');
    await rm(this.#state, { recursive: true, force: true });
  }

  /** Starts a Node worker beside the tabs. */
  startNodeWorker(name: string): () => Promise<void> {
    const args = [
      tabgrid,
      'worker',
      '--url',
      this.url,
      '--token',
      this.#token,
      '--concurrency',
      '1',
      '-n',
      name,
      '--json',
    ];
    const worker = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#workers.push(worker);
    return () => end(worker, 'SIGTERM');
  }

  async request(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: body instanceof Uint8Array ? body.slice() : JSON.stringify(body) }),
    });
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.request(method, path, body);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async invite(): Promise<string> {
    return (await this.call<{ url: string }>('POST', '/v1/invites', {})).url;
  }

  async mint(scope: Scope[], ttl = 3600): Promise<string> {
    return (await this.call<{ token: string }>('POST', '/v1/tokens', { scope, ttl })).token;
  }

  async submit(task: string, kwargs: object): Promise<string> {
    return (await this.call<{ task_id: string }>('POST', '/v1/tasks', { task, kwargs })).task_id;
  }

  task(id: string): Promise<TaskView> {
    return this.call<TaskView>('GET', `/v1/tasks/${id}`);
  }

  /** Waits for the end of a task, however long it takes. */
  async finished(id: string): Promise<TaskView> {
    for (;;) {
      const task = await this.call<TaskView>('GET', `/v1/tasks/${id}?wait=30`);
      if (task.finished_at !== null) return task;
    }
  }

  campaign(id: string): Promise<CampaignView> {
    return this.call<CampaignView>('GET', `/v1/campaigns/${id}`);
  }

  async workers(): Promise<WorkerView[]> {
    return (await this.call<{ workers: WorkerView[] }>('GET', '/v1/workers')).workers;
  }
}

/** Asks again and again until the answer is there. */
export async function until<T>(ask: () => Promise<T | null | undefined | false>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function serve(state: string, port: number): Promise<{ server: ChildProcess; url: string; token: string }> {
  const { readFile } = await import('node:fs/promises');
  const args = [tabgrid, 'serve', '--port', String(port), '--state', state, '--json'];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await Promise.race([
    once(createInterface({ input: server.stdout }), 'line'),
    once(server, 'exit').then(([code]) => {
      throw new Error(`tabgrid serve ended with ${String(code)} before it was up`);
    }),
  ])) as [string];
  const { url, token_path: tokenPath } = JSON.parse(line) as { url: string; token_path: string };
  return { server, url, token: (await readFile(tokenPath, 'utf8')).trim() };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}
