import { CommanderError, type Command } from 'commander';
import { errorBody, TabgridError, type ErrorCode } from '#protocol';
import { ResultTimeout, WorkflowTimeout } from '../../sdk/index.ts';
import { CommandError, exitStatus } from './errors.ts';

/** What the edge refuses because of what was asked, not because of what happened. */
const usageCodes: readonly ErrorCode[] = ['invalid_json', 'invalid_request', 'unknown_task', 'invalid_arguments'];

/** Runs the command line and sets the exit status. */
export async function run(program: Command, args: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error, args.includes('--json'));
  }
}

/** Prints what went wrong on standard error. @returns the exit status. */
function report(error: unknown, json: boolean): number {
  // Commander has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.success : exitStatus.usage;
  if (json && error instanceof TabgridError) console.error(JSON.stringify(errorBody(error)));
  else console.error(`tabgrid: ${explain(error)}`);
  if (error instanceof CommandError) return error.status;
  return error instanceof TabgridError && usageCodes.includes(error.code) ? exitStatus.usage : exitStatus.failure;
}

/** What went wrong, for people. */
export function explain(error: unknown): string {
  if (error instanceof TabgridError) {
    const faults = (error.details?.faults ?? []) as { path: string; message: string }[];
    // The message tells the first fault already.
    const more = faults.slice(1).map(({ path, message }) => `\n  ${path}: ${message}`);
    return `${error.message} (${error.code})${more.join('')}`;
  }
  const isPlain = [CommandError, ResultTimeout, WorkflowTimeout].some((kind) => error instanceof kind);
  if (isPlain) return (error as Error).message;
  if (error instanceof TypeError && error.message === 'fetch failed') {
    const { cause } = error as { cause?: { message?: string; code?: string } };
    // Where several addresses were tried the message is empty.
    const reason = [cause?.message, cause?.code].find((text) => text !== undefined && text !== '') ?? error.message;
    return `the grid cannot be reached: ${reason}. Is \`tabgrid serve\` running? See --url.`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
