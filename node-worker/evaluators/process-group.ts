import { spawn, type ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { TabgridError } from '#protocol';

export interface GroupOptions {
  /** Program and arguments. */
  argv: readonly string[];
  environment: Record<string, string>;
  stdin: string;
  onStdout: (chunk: Uint8Array) => void;
  timeLimitMs: number;
  /** Aborted at the soft time limit: the group gets SIGTERM, and may end with an answer until the time limit. */
  softLimit: AbortSignal;
  /** Between SIGTERM and SIGKILL. */
  killAfterMs: number;
  signal: AbortSignal;
}

/** What of standard error is kept for the message. */
const stderrTailChars = 4000;
const maxTimerMs = 2_147_483_647;

/**
 * A guard in the group waits for the end of the pipe on descriptor 3. It ends when the worker closes it, or dies however suddenly;
 * then the whole group is killed, so that nothing is ever left running behind.
 */
const guarded = `( trap '' TERM INT HUP; read -r _ <&3; kill -KILL 0 ) </dev/null >/dev/null 2>&1 &
exec 3<&-
exec "$@"`;

/**
 * Runs a program in a process group of its own, and ends the group with it: at the time limit, on abort, and when the program itself
 * has ended. Resolves once all of it is gone.
 *
 * @throws TabgridError `evaluator_failed` with the last words of standard error, `soft_time_limit_exceeded` where it did not end well after
 *   being asked to, `time_limit_exceeded`; the signal’s reason on abort.
 */
export function runGroup(options: GroupOptions): Promise<void> {
  const { argv, environment, signal, softLimit } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const child = spawn('/bin/sh', ['-c', guarded, 'tabgrid-evaluator', ...argv], {
      detached: true,
      env: environment,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    const end = new GroupEnd(child, options.killAfterMs);
    let stderr = '';
    const timer = setTimeout(
      () => {
        const seconds = options.timeLimitMs / 1000;
        end.because(
          new TabgridError('time_limit_exceeded', `The time limit of ${seconds} s for one candidate is over.`),
        );
      },
      Math.min(options.timeLimitMs, maxTimerMs),
    );
    const onAbort = () => end.because(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
    const onSoftLimit = () => end.ask();
    softLimit.addEventListener('abort', onSoftLimit);

    child.stdout.on('data', options.onStdout);
    child.stderr.on('data', (chunk: Uint8Array) => {
      stderr = (stderr + new TextDecoder().decode(chunk)).slice(-stderrTailChars);
    });
    // A program need not read its input.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin);

    let code: number | null = null;
    let killedBy: NodeJS.Signals | null = null;
    child.on('exit', (exitCode, exitSignal) => {
      [code, killedBy] = [exitCode, exitSignal];
      // When the group is being ended, its other processes have their grace too.
      if (!end.reason) end.releaseGuard();
    });
    // Nobody in the group can say anything more: what is left of it may go.
    let openOutputs = 2;
    for (const output of [child.stdout, child.stderr]) {
      output.on('close', () => {
        openOutputs -= 1;
        if (openOutputs === 0) end.releaseGuard();
      });
    }
    const finish = (error: Error | null) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      softLimit.removeEventListener('abort', onSoftLimit);
      end.done();
      if (error) reject(error);
      else resolve();
    };
    child.on('error', (error) =>
      finish(new TabgridError('evaluator_failed', `It cannot be started: ${error.message}`)),
    );
    child.on('close', () => {
      const how = killedBy === null ? `exit code ${String(code)}` : `signal ${killedBy}`;
      finish(end.reason ?? (code === 0 ? null : failureOf(`It ended with ${how}. ${stderr.trim()}`, softLimit)));
    });
  });
}

/** What went wrong with a program that was not ended from here. */
function failureOf(how: string, softLimit: AbortSignal): TabgridError {
  if (!softLimit.aborted) return new TabgridError('evaluator_failed', how);
  const asked = (softLimit.reason as Error).message;
  return new TabgridError('soft_time_limit_exceeded', `${asked} ${how}`);
}

/** Brings a group down in two steps. */
class GroupEnd {
  reason: Error | null = null;
  readonly #child: ChildProcess;
  readonly #killAfterMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess, killAfterMs: number) {
    this.#child = child;
    this.#killAfterMs = killAfterMs;
    // The guard’s end of the pipe breaks when the group is killed.
    this.#guard?.on('error', () => undefined).resume();
  }

  because(reason: Error): void {
    if (this.reason) return;
    this.reason = reason;
    this.#kill('SIGTERM');
    this.#timer = setTimeout(() => this.#kill('SIGKILL'), this.#killAfterMs);
  }

  /** Asks it to end; whether and how it does is its own affair, until the time limit. */
  ask(): void {
    if (!this.reason) this.#kill('SIGTERM');
  }

  get #guard(): Duplex | null | undefined {
    return this.#child.stdio[3] as Duplex | null | undefined;
  }

  releaseGuard(): void {
    this.#guard?.end();
  }

  done(): void {
    clearTimeout(this.#timer);
    this.releaseGuard();
  }

  #kill(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The group is gone already.
    }
  }
}
