import type { Command } from 'commander';
import type { Answers, AskOptions } from '../../sdk/index.ts';
import type { ConnectionOptions } from './connection.ts';
import { parseDuration } from './duration.ts';
import { CommandError } from './errors.ts';

/** Which workers are asked, and for how long. */
export interface DestinationFlags extends ConnectionOptions {
  destination?: string[];
  timeout: string;
}

export function withDestination(command: Command): Command {
  return command
    .option('-d, --destination <workers...>', 'ids or names, in which * stands for anything (default: all workers)')
    .option('-t, --timeout <duration>', 'how long to wait for answers', '5s');
}

export function askOptions({ destination, timeout }: DestinationFlags): AskOptions {
  const workers = destination?.flatMap((text) => text.split(',')).filter((text) => text !== '');
  return { timeoutSeconds: parseDuration('--timeout', timeout), ...(workers === undefined ? {} : { workers }) };
}

/** @throws CommandError when somebody who was asked did not answer, or is nobody. */
export function tellMissing({ silent, unknown }: Answers): void {
  const parts = [
    ...(silent.length === 0 ? [] : [`no answer from ${silent.join(', ')}`]),
    ...(unknown.length === 0 ? [] : [`no connected worker is called ${unknown.join(', ')}`]),
  ];
  if (parts.length > 0) throw new CommandError(parts.join('; '));
}
