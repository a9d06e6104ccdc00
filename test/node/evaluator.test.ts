import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { TabgridError, type Json } from '#protocol';
import { parseEvaluators } from '../../node-worker/evaluators/declaration.ts';
import { Evaluators, type Evaluation } from '../../node-worker/evaluators/evaluators.ts';
import { untilFile, untilGone } from './helpers/wait.ts';

const folder = mkdtempSync(join(tmpdir(), 'tabgrid-evaluator-'));
afterAll(() => rmSync(folder, { recursive: true }));

function evaluate(declaration: string, overrides: Partial<Evaluation> = {}, extraEnvironment: string[] = []) {
  const evaluators = new Evaluators({
    declarations: parseEvaluators({ sim: declaration }),
    extraEnvironment,
    killAfterMs: 300,
  });
  return evaluators.evaluate({
    name: 'sim',
    candidate: { x: 2 },
    taskId: 't',
    attempt: 1,
    index: 0,
    timeLimitMs: 60_000,
    softLimit: new AbortController().signal,
    signal: new AbortController().signal,
    onFraction: () => undefined,
    ...overrides,
  });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason as Error,
  );
  return error instanceof TabgridError ? `${error.code}: ${error.message}` : String(error);
}

describe('a command', () => {
  it('reads the candidate and answers in its last line', async () => {
    const script = join(folder, 'sim.py');
    writeFileSync(
      script,
      'import json,sys\nc=json.load(sys.stdin)\nprint("working")\nprint(json.dumps({"y": c["x"]**2, "z": float("nan")}))\n',
    );
    expect(await evaluate(`python3 ${script}`)).toEqual({ y: 4, z: null });
  });

  it('may answer with a plain number, and need not read its input', async () => {
    expect(await evaluate('echo 1.5', { candidate: 'x'.repeat(1_000_000) as Json })).toEqual({ y: 1.5 });
  });

  it('tells its progress in lines of their own', async () => {
    const fractions: number[] = [];
    const command = `echo '{"progress": 0.25}'; echo text; echo '{"progress": 7}'; echo '{"progress": 1, "y": 3}'`;
    const values = await evaluate(command, { onFraction: (fraction) => fractions.push(fraction) });
    expect(fractions).toEqual([0.25, 1]);
    expect(values).toEqual({ progress: 1, y: 3 });
  });

  it.each([
    ['echo rubbish', 'evaluator_failed: its last line is not JSON: rubbish'],
    ['true', 'evaluator_failed: it printed nothing'],
    ['echo "[1]"', 'evaluator_failed: expected a number or an object of numbers in the last line, got [1]'],
    [`echo '{"y": "high"}'`, 'evaluator_failed: y: expected a number or null, got "high"'],
    ['echo 3; echo "no oven" >&2; exit 7', 'evaluator_failed: It ended with exit code 7. no oven'],
    ['kill -SEGV $$', 'evaluator_failed: It ended with signal SIGSEGV. '],
    ['no-such-program-anywhere', /^evaluator_failed: It ended with exit code 127\. .*not found/],
  ])('%s fails with the reason', async (command, message) => {
    expect(await codeOf(evaluate(command))).toMatch(message);
  });

  it('sees only the documented minimum of the environment', async () => {
    process.env.TABGRID_TOKEN = 'secret';
    process.env.LICENCE_SERVER = 'lab';
    process.env.OTHER_THING = 'x';
    const command = `node -e 'console.log(JSON.stringify({ names: 0 })); require("fs").writeFileSync("${folder}/env", Object.keys(process.env).sort().join())'; echo 1`;
    await evaluate(command, { index: 4 }, ['LICENCE_SERVER']);
    const names = readFileSync(join(folder, 'env'), 'utf8').split(',');
    expect(names).toContain('PATH');
    expect(names).toContain('LICENCE_SERVER');
    expect(names).toContain('TABGRID_INDEX');
    expect(names.filter((name) => name === 'TABGRID_TOKEN' || name === 'OTHER_THING')).toEqual([]);
  });

  it('is killed with its whole group at the time limit, grandchildren that ignore SIGTERM included', async () => {
    const pidFile = join(folder, 'grandchild');
    const grandchild = `trap "" TERM; echo $$ > ${pidFile}; while :; do sleep 1; done`;
    const running = evaluate(`sh -c '${grandchild}' & wait`, { timeLimitMs: 1500 });
    const failed = codeOf(running);
    const pid = Number(await untilFile(pidFile));
    expect(await failed).toMatch(/^time_limit_exceeded: /);
    await untilGone(pid);
  });

  /** Runs a command that tells progress once it is ready, and asks it to end then. */
  function evaluateSoftly(command: string) {
    const soft = new AbortController();
    const reached = new TabgridError('soft_time_limit_exceeded', 'The soft time limit is over.');
    return evaluate(command, { softLimit: soft.signal, onFraction: () => soft.abort(reached) });
  }

  function python(name: string, ...lines: string[]): string {
    const script = join(folder, name);
    writeFileSync(script, ['import signal, sys, time', ...lines, 'time.sleep(600)', ''].join('\n'));
    return `python3 -u ${script}`;
  }

  const ready = `print('{"progress": 0.5}')`;

  it('is asked to end at the soft time limit, and may still answer', async () => {
    const onTerm = ['def answer(*_):', "  print('7')", '  sys.exit(0)', 'signal.signal(signal.SIGTERM, answer)'];
    expect(await evaluateSoftly(python('answers.py', ...onTerm, ready))).toEqual({ y: 7 });
    const inShell = `trap 'echo 7; exit 0' TERM; echo '{"progress": 0.5}'; while :; do sleep 0.05; done`;
    expect(await evaluateSoftly(inShell)).toEqual({ y: 7 });
  });

  it('that does not answer at the soft time limit fails with it, and goes no further', async () => {
    expect(await codeOf(evaluateSoftly(`${python('deaf.py', ready)}; echo 1`))).toMatch(
      /^soft_time_limit_exceeded: The soft time limit is over\./,
    );
  });

  it('may tidy up at SIGTERM', async () => {
    const file = join(folder, 'tidy');
    const ready = join(folder, 'tidy-ready');
    const controller = new AbortController();
    const command = `trap 'echo tidied > ${file}; exit 1' TERM; echo 1 > ${ready}; while :; do sleep 0.05; done`;
    const failed = codeOf(evaluate(command, { signal: controller.signal }));
    await untilFile(ready);
    controller.abort(new TabgridError('revoked', 'no longer wanted'));
    expect(await failed).toBe('revoked: no longer wanted');
    expect(existsSync(file)).toBe(true);
  });

  it('leaves no process behind when it has answered', async () => {
    const pidFile = join(folder, 'left');
    expect(
      await evaluate(`sh -c 'echo $$ > ${pidFile}; sleep 600' & until test -s ${pidFile}; do :; done; echo 2`),
    ).toEqual({ y: 2 });
    await untilGone(Number(readFileSync(pidFile, 'utf8')));
  });

  it('is not begun when it is no longer wanted', async () => {
    const file = join(folder, 'never');
    expect(await codeOf(evaluate(`touch ${file}; echo 1`, { signal: AbortSignal.abort(new Error('stop')) }))).toBe(
      'Error: stop',
    );
    expect(existsSync(file)).toBe(false);
  });
});

describe('a module', () => {
  it('is called with the candidate, may print, and reports progress', async () => {
    const path = join(folder, 'sim.mjs');
    writeFileSync(
      path,
      'export async function evaluate({ x }, report) { report(0.5); console.log("hm"); return { y: x * 10 }; }',
    );
    const fractions: number[] = [];
    expect(await evaluate(`module:${path}`, { onFraction: (fraction) => fractions.push(fraction) })).toEqual({ y: 20 });
    expect(fractions).toEqual([0.5]);
  });

  it('fails with what it threw', async () => {
    const path = join(folder, 'bad.mjs');
    writeFileSync(path, 'export function evaluate() { throw new Error("the oven is cold"); }');
    expect(await codeOf(evaluate(`module:${path}`))).toMatch(/^evaluator_failed: [^]*the oven is cold/);
  });
});

describe('a URL', () => {
  it('gets the candidate and answers with the values; its errors and slowness are faults', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/slow') return;
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.url === '/bad') response.writeHead(500);
        response.end(
          request.url === '/bad'
            ? 'no oven'
            : JSON.stringify({ y: Number(JSON.parse(Buffer.concat(chunks).toString()).x) + 1 }),
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      expect(await evaluate(`${origin}/`)).toEqual({ y: 3 });
      expect(await codeOf(evaluate(`${origin}/bad`))).toMatch(/^evaluator_failed: .* answered 500: no oven/);
      expect(await codeOf(evaluate(`${origin}/slow`, { timeLimitMs: 200 }))).toMatch(/^time_limit_exceeded: /);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

it('an evaluator that was not declared is refused', async () => {
  expect(await codeOf(evaluate('echo 1', { name: 'other' }))).toMatch(/^evaluator_not_allowed: /);
});
