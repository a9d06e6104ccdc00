export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Writes one line of JSON. `event` is a short stable name in kebab-case; never log a token or a task’s arguments. */
export function log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>> = {}): void {
  const line = JSON.stringify({ level, event, ...fields }, (_, value: unknown) =>
    value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value,
  );
  // eslint-disable-next-line no-console -- the console is where a Worker’s log goes
  console[level](line);
}
