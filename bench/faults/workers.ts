import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { guardProcess } from '../../client/cli/lib/guard.ts';

const root = new URL('../../', import.meta.url);
const tabgrid = fileURLToPath(new URL('bin/tabgrid.js', root));
const tasks = fileURLToPath(new URL('bench/faults/tasks.mjs', root));

/** Worker processes. Where one ends, another takes its place. */
export class Workers {
  readonly #running: ChildProcess[] = [];
  readonly #url: string;
  readonly #token: string;
  #isOver = false;

  constructor(url: string, token: string, count: number) {
    this.#url = url;
    this.#token = token;
    for (let n = 0; n < count; n++) this.#start();
  }

  get count(): number {
    return this.#running.length;
  }

  signal(index: number, signal: NodeJS.Signals): void {
    this.#running[index % this.count]?.kill(signal);
  }

  /** One stands still, as a machine that sleeps does, and then goes on as if nothing had been. */
  freeze(index: number, forMs: number): void {
    const child = this.#running[index % this.count];
    child?.kill('SIGSTOP');
    setTimeout(() => child?.kill('SIGCONT'), forMs).unref();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    const exits = this.#running.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of this.#running) child.kill('SIGKILL');
    await Promise.all(exits);
  }

  #start(): void {
    const options = ['--url', this.#url, '--concurrency', '2', '--prefetch', '4', '--tasks', tasks, '--quiet'];
    const child = spawn(process.execPath, [tabgrid, 'worker', ...options], {
      env: { ...process.env, TABGRID_TOKEN: this.#token },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const unguard = guardProcess(child.pid ?? 0);
    this.#running.push(child);
    child.once('exit', () => {
      unguard();
      if (this.#isOver) return;
      this.#running.splice(this.#running.indexOf(child), 1);
      this.#start();
    });
  }
}
