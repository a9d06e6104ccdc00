/** What a command needs to find its programs and to write text. Everything else, tokens above all, is kept from it. */
const minimum = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR'];

/**
 * The environment of an evaluator’s process: the minimum, what the operator added by name, and which candidate it is about.
 *
 * @param index The candidate’s place in the task, from 0.
 */
export function evaluatorEnvironment(
  host: NodeJS.ProcessEnv,
  extraNames: readonly string[],
  { taskId, attempt, index }: { taskId: string; attempt: number; index: number },
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of [...minimum, ...extraNames]) {
    const value = host[name];
    if (value !== undefined) environment[name] = value;
  }
  return {
    ...environment,
    TABGRID_TASK_ID: taskId,
    TABGRID_ATTEMPT: String(attempt),
    TABGRID_INDEX: String(index),
  };
}
