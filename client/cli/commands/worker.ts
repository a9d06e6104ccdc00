import type { Command } from 'commander';
import { TabgridError } from '#protocol';
import type { WorkerConfigInput, WorkerHandle, WorkerHooks } from '../../../node-worker/index.ts';
import { edgesOf, withConnections } from '../lib/connection.ts';
import { CommandError, UsageError } from '../lib/errors.ts';
import { createOutput, short, type Output } from '../lib/output.ts';
import { onInterrupt } from '../lib/signals.ts';
import { parseWholeNumber } from '../lib/whole-number.ts';

interface WorkerFlags {
  url: string[];
  token?: string[];
  state: string;
  json?: boolean;
  name?: string;
  queues?: string[];
  pool?: string;
  concurrency?: string;
  gpu: boolean;
  prefetch?: string;
  rateLimit?: string;
  maxTasksPerChild?: string;
  maxMemoryPerChild?: string;
  redis?: string;
  redisPrefix?: string;
  evaluator?: string[];
  evaluatorEnv?: string[];
  tasks?: string;
  component?: string[];
  quiet: boolean;
}

type SessionEvent = Parameters<NonNullable<WorkerHooks['onEvent']>>[0];

const bytesPerMegabyte = 1024 * 1024;

export function addWorker(program: Command): void {
  withConnections(program.command('worker'))
    .summary('compute tasks on this machine')
    .description(
      `Takes tasks from a grid and computes them in worker threads, until Ctrl-C: then it finishes what others cannot continue, hands
the rest back and leaves. A second Ctrl-C gives everything back at once.`,
    )
    .option('-n, --name <name>', 'its name in the worker table; %h is the host (default: node@%h)')
    .option('--queues <names...>', 'take tasks from these only (default: all; gpu_training only with a GPU)')
    .option('--gpu', 'train what waits in gpu_training on this machine’s GPU; without one, say why and go on', false)
    .option('--pool <pool>', 'threads, or solo: without, for tasks that are brief or mostly wait (default: threads)')
    .option('--concurrency <n>', 'tasks at a time (default: the cores)')
    .option('--prefetch <n>', 'tasks held for each slot, so that short ones follow each other quickly (default: 1)')
    .option('--rate-limit <rate>', 'starts over all types, such as 10/s, 100/m or 1000/h')
    .option('--max-tasks-per-child <n>', 'replace a thread after so many tasks')
    .option('--max-memory-per-child <MB>', 'replace a thread that has grown over this')
    .option(
      '--evaluator <name=command...>',
      'a named evaluator: a shell command, module:./file.mjs, or a URL; only these are ever run',
    )
    .option('--evaluator-env <names...>', 'environment variables that commands may see')
    .option('--redis <url>', 'keep long evaluations in this Redis, shared by several workers')
    .option('--redis-prefix <name>', 'begins the name of every key in it (default: tabgrid)')
    .option('--tasks <file>', 'a module that exports further task bodies as `bodies`')
    .option('--component <files...>', 'modules with further components of the worker, as `component` or `components`')
    .option('--quiet', 'print nothing but faults', false)
    .addHelpText(
      'after',
      `
Examples:
  tabgrid worker
  tabgrid worker --url https://grid.example.org --concurrency 8 -n bench@%h
  tabgrid worker --url https://a.example.org --token $A --url https://b.example.org --token $B
  tabgrid worker --evaluator barrel='python3 sim.py' --redis redis://localhost

A command gets one candidate as JSON on standard input, such as {"n": 9, "r": 2.3}, and prints its values as the last line, such as
{"toughness": 31.5}; lines such as {"progress": 0.4} before it show how far it has come.`,
    )
    .action(async (flags: WorkerFlags) => {
      const output = createOutput(flags.json);
      // Loaded here, because no other command needs Redis, threads and kernels.
      const { startWorker } = await import('../../../node-worker/index.ts');
      const worker = await startWorker(await configOf(flags), {
        onEvent: (event) => tell(event, flags, output),
        log: (message) => console.error(`tabgrid worker: ${message}`),
      }).catch((error: unknown) => {
        if (!(error instanceof TabgridError)) throw error;
        throw new TabgridError(error.code, inFlags(error.message), error.details ? { details: error.details } : {});
      });
      stopOnSignals(worker, output);
      const refusal = await worker.closed;
      if (refusal !== null)
        throw new CommandError(`the edge refused this worker: ${refusal.message} (${refusal.code})`);
    });
}

/** @throws UsageError naming the option */
async function configOf(flags: WorkerFlags): Promise<WorkerConfigInput> {
  const memory = parseWholeNumber('--max-memory-per-child', flags.maxMemoryPerChild, 1);
  const optional = {
    name: flags.name,
    queues: splitList(flags.queues),
    pool: flags.pool,
    concurrency: parseWholeNumber('--concurrency', flags.concurrency, 1),
    prefetch: parseWholeNumber('--prefetch', flags.prefetch, 1),
    rateLimit: flags.rateLimit,
    maxTasksPerChild: parseWholeNumber('--max-tasks-per-child', flags.maxTasksPerChild, 1),
    maxMemoryPerChildBytes: memory === undefined ? undefined : memory * bytesPerMegabyte,
    redis: flags.redis,
    redisPrefix: flags.redisPrefix,
    evaluators: flags.evaluator === undefined ? undefined : parseEvaluators(flags.evaluator),
    evaluatorEnvironment: splitList(flags.evaluatorEnv),
    tasksFile: flags.tasks,
    componentFiles: flags.component,
  };
  const given = Object.entries(optional).filter(([, value]) => value !== undefined);
  const [edge, ...furtherEdges] = await edgesOf(flags);
  if (edge === undefined) throw new UsageError('--url: expected an address');
  return { ...Object.fromEntries(given), gpu: flags.gpu, ...edge, furtherEdges };
}

/** Options whose flag is not their name in kebab case. */
const flagNames: Readonly<Record<string, string>> = {
  tasksFile: '--tasks',
  componentFiles: '--component',
  maxMemoryPerChildBytes: '--max-memory-per-child',
  evaluators: '--evaluator',
  evaluatorEnvironment: '--evaluator-env',
  furtherEdges: '--url',
};

/** Options of the worker that a message begins with, under the names that the command line has for them. */
function inFlags(message: string): string {
  return message.replace(
    /^(The worker’s options do not fit: )?([a-z]+(?:[A-Z][a-z]+)*)(?=[:.])/,
    (_, __, option: string) =>
      flagNames[option] ?? `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
}

function splitList(values: readonly string[] | undefined): string[] | undefined {
  return values?.flatMap((value) => value.split(',')).filter((value) => value !== '');
}

function parseEvaluators(declarations: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    declarations.map((declaration) => {
      const equals = declaration.indexOf('=');
      if (equals < 1) throw new UsageError(`--evaluator: expected name='command', got ${JSON.stringify(declaration)}`);
      return [declaration.slice(0, equals), declaration.slice(equals + 1)];
    }),
  );
}

/** First finish, then hand back, then end. */
function stopOnSignals(worker: WorkerHandle, output: Output): void {
  onInterrupt((count) => {
    if (count === 1) {
      output.note('Stopping after the tasks at hand. Ctrl-C again hands them back.');
      void worker.stop('interrupted');
    } else if (count === 2) void worker.abort('interrupted');
    else process.exit(130);
  });
}

function tell(event: SessionEvent, flags: WorkerFlags, output: Output): void {
  if (event.type === 'warning') console.error(`tabgrid worker: ${event.message}`);
  if (flags.quiet) return;
  if (event.type === 'phase' && event.phase === 'working') {
    const url = flags.url.join(', ');
    output.result({ type: 'online', url }, () => `Working for ${url}.`);
  }
  if (event.type === 'finished') {
    const { ref, task, outcome, runtimeMs } = event;
    const said = outcome.type === 'failure' ? `failure: ${outcome.error.message}` : outcome.type;
    output.result({ type: 'finished', ...ref, task, outcome: outcome.type, runtime_ms: runtimeMs }, () =>
      [ref.task_id, task, said, `${short(runtimeMs / 1000)} s`].join('  '),
    );
  }
}
