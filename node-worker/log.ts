/** One line for the operator. */
export type Log = (message: string) => void;

/** Runs what nobody waits for, and says so when it fails. */
export function inBackground(work: Promise<unknown>, log: Log): void {
  work.catch((error: unknown) => log(error instanceof Error ? error.message : String(error)));
}
