import { Option, type Command } from 'commander';
import { signatureSchema, type JsonObject, type Signature } from '#protocol';
import { connect, patientRetries, withConnection, type ConnectionOptions } from '../lib/connection.ts';
import { parseDuration } from '../lib/duration.ts';
import { CommandError, UsageError } from '../lib/errors.ts';
import { parseJsonObject } from '../lib/json-argument.ts';
import { createOutput } from '../lib/output.ts';
import { parseWholeNumber } from '../lib/whole-number.ts';

interface SubmitFlags extends ConnectionOptions {
  kwargs: string;
  queue?: string;
  priority?: string;
  countdown?: string;
  expires?: string;
  maxRetries?: string;
  retryOn?: string[];
  dontRetryOn?: string[];
  label?: string[];
  wait: boolean;
  timeout?: string;
}

export function addSubmit(program: Command): void {
  withConnection(program.command('submit'))
    .summary('submit a task')
    .description('Submits a task and prints its id; with --wait, its result.')
    .argument('<task>', 'name of a task type; `tabgrid inspect registered` lists them')
    .option('--kwargs <json>', 'arguments as a JSON object, or @file', '{}')
    .option('--queue <name>', 'queue; default: the task type’s')
    .option('--priority <n>', '0 to 9, 9 runs first')
    .option('--countdown <duration>', 'do not run before, such as 90s or 15m')
    .option('--expires <duration>', 'revoke it if it was not begun by then')
    .option('--max-retries <n>', 'tries after the first')
    .option('--retry-on <codes...>', 'errors after which it is tried again, and no others')
    .option('--dont-retry-on <codes...>', 'errors after which it is not, such as worker_lost')
    .option('--label <label...>', 'labels by which it can be found')
    .option('--wait', 'wait for the result; exit 1 when the task fails', false)
    .addOption(new Option('--timeout <duration>', 'how long to wait').implies({ wait: true }))
    .addHelpText(
      'after',
      `
Examples:
  tabgrid submit ping --wait
  tabgrid submit run_cmaes_optimization --wait \\
    --kwargs '{"objective": {"builtin": "rosenbrock"}, "dimension": 5, "max_evaluations": 5000, "seed": 1}'
  tabgrid submit train_surrogate --kwargs @train.json --priority 9`,
    )
    .action(async (task: string, flags: SubmitFlags) => {
      const output = createOutput(flags.json);
      const signature = signatureOf(task, flags, await parseJsonObject('--kwargs', flags.kwargs));
      const grid = await connect(flags);
      const result = await grid.submitSignature(signature);
      if (!flags.wait) {
        output.result({ task_id: result.id }, () => result.id);
        return;
      }
      output.note(`Task ${result.id} is under way.`);
      const view = await (
        await connect(flags, patientRetries)
      )
        .result(result.id)
        .settled(flags.timeout === undefined ? {} : { timeoutSeconds: parseDuration(flags.timeout) });
      if (view.state !== 'SUCCESS') {
        if (flags.json) output.result(view, () => '');
        throw new CommandError(
          view.state === 'REVOKED'
            ? `task ${view.task_id} was revoked`
            : `${view.error?.message} (${view.error?.type})`,
        );
      }
      output.result(view, () => JSON.stringify(view.result, null, 2));
    });
}

function signatureOf(task: string, flags: SubmitFlags, kwargs: JsonObject): Signature {
  const optional = {
    queue: flags.queue,
    priority: parseWholeNumber('--priority', flags.priority, 0),
    countdown: flags.countdown === undefined ? undefined : parseDuration(flags.countdown),
    expires: flags.expires === undefined ? undefined : parseDuration(flags.expires),
    max_retries: parseWholeNumber('--max-retries', flags.maxRetries, 0),
    retry_on: flags.retryOn,
    dont_retry_on: flags.dontRetryOn,
    labels: flags.label,
  };
  const given = Object.entries(optional).filter(([, value]) => value !== undefined);
  const parsed = signatureSchema.safeParse({ task, kwargs, ...Object.fromEntries(given) });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${issue?.path.join('.') ?? 'task'}: ${issue?.message ?? 'does not fit'}`);
}
