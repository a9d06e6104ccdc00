import { Option, type Command } from 'commander';
import { connect, patientRetries, withConnection, type ConnectionOptions } from '../lib/connection.ts';
import { parseDuration, parseTime } from '../lib/duration.ts';
import { CommandError } from '../lib/errors.ts';
import { createOutput } from '../lib/output.ts';
import { signatureOf, withSignature, type SignatureFlags } from '../lib/signature.ts';

interface SubmitFlags extends ConnectionOptions, SignatureFlags {
  countdown?: string;
  eta?: string;
  idempotencyKey?: string;
  wait: boolean;
  timeout?: string;
}

export function addSubmit(program: Command): void {
  withSignature(withConnection(program.command('submit')))
    .summary('submit a task')
    .description('Submits a task and prints its id; with --wait, its result.')
    .argument('<task>', 'name of a task type; `tabgrid inspect registered` lists them')
    .option('--countdown <duration>', 'do not run before, such as 90s or 15m')
    .option('--eta <time>', 'do not run before, such as 2030-01-31T08:00:00+01:00')
    .option('--idempotency-key <key>', 'the same key again gives the task that there is')
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
      const { countdown, eta, idempotencyKey } = flags;
      const signature = await signatureOf(task, flags, {
        ...(countdown === undefined ? {} : { countdown: parseDuration('--countdown', countdown) }),
        ...(eta === undefined ? {} : { eta: parseTime('--eta', eta) }),
        ...(idempotencyKey === undefined ? {} : { idempotency_key: idempotencyKey }),
      });
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
        .settled(flags.timeout === undefined ? {} : { timeoutSeconds: parseDuration('--timeout', flags.timeout) });
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
