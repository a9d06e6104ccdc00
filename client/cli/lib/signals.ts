/** One Ctrl-C may arrive twice: from the terminal, and again from an npm that passes it on. */
const sameSignalMs = 500;

/** Calls `listener` for each SIGINT or SIGTERM, with how many there were, this one counted. */
export function onInterrupt(listener: (count: number) => void): void {
  let count = 0;
  let lastMs = -Infinity;
  const handle = (): void => {
    const nowMs = performance.now();
    const repeated = nowMs - lastMs < sameSignalMs;
    lastMs = nowMs;
    if (!repeated) listener(++count);
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
}

/** Resolves at the first SIGINT or SIGTERM. A second one ends the process at once, for those in a hurry. */
export function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    onInterrupt((count) => {
      if (count > 1) process.exit(130);
      resolve();
    });
  });
}
