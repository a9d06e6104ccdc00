/** Resolves in a later turn of the event loop, after the messages that already wait. */
export function pauseByMessage(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(null);
    });
}

const { setImmediate } = globalThis as { setImmediate?: (run: () => void) => void };
let pause: (() => Promise<void>) | null = null;

/**
 * Calls `run` in a later turn of the event loop. A timer of 0 ms would take Node a millisecond, and a browser a second in a tab that nobody sees.
 * @returns what takes it back
 */
export function soon(run: () => void): () => void {
  let isWanted = true;
  const turn = (): void => {
    if (isWanted) run();
  };
  if (setImmediate) setImmediate(turn);
  else void (pause ??= pauseByMessage())().then(turn);
  return () => (isWanted = false);
}
