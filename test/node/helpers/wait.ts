import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Looks again and again until there is something; the test’s own time limit ends it. */
export async function until<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found;
    await pause(20);
  }
}

/** The content of a file that another process writes, once it is there. */
export function untilFile(path: string): Promise<string> {
  return until(() => {
    try {
      return readFileSync(path, 'utf8') || null;
    } catch {
      return null;
    }
  });
}

/** Waits for a process to be gone. */
export async function untilGone(pid: number): Promise<void> {
  await until(() => !isAlive(pid));
}

/** A process that nobody has reaped yet counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return !existsSync('/proc/self');
  }
}
