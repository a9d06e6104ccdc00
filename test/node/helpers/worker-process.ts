import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { WorkerConfigInput } from '../../../node-worker/index.ts';
import type { WorkerBundle } from './bundle.ts';

interface Line {
  type: string;
  [member: string]: unknown;
}

/** A worker in a process of its own, which a test may kill. */
export class WorkerProcess {
  readonly lines: Line[] = [];
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(bundle: WorkerBundle, config: WorkerConfigInput) {
    const { threadFile, kernelsFile } = bundle;
    const child = spawn(process.execPath, [bundle.mainFile, JSON.stringify({ threadFile, kernelsFile, ...config })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.exited = new Promise((resolve) => child.once('exit', resolve));
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(JSON.parse(line) as Line));
  }

  get logs(): string[] {
    return this.lines.flatMap((line) => (line.type === 'log' ? [String(line.message)] : []));
  }

  stop(): void {
    this.#child.kill('SIGTERM');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}
