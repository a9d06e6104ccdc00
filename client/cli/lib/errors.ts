/** The exit statuses of every command. */
export const exitStatus = {
  success: 0,
  /** A task or campaign failed, or the grid could not be reached. */
  failure: 1,
  /** The command line, or what it names, makes no sense. */
  usage: 2,
} as const;

/** Ends a command with a message and no stack. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  readonly status: number = exitStatus.failure;
}

/** The command line makes no sense. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';
  override readonly status = exitStatus.usage;
}
