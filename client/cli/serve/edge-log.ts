import { copyFile, open, stat, truncate, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { serveDefaults } from '../config.ts';
import type { StateDir } from './state-dir.ts';

/** All that the edge process prints. */
export function edgeLogPath(state: StateDir): string {
  return join(state.logs, 'edge.log');
}

/** All that the worker of `start` prints. */
export function workerLogPath(state: StateDir): string {
  return join(state.logs, 'worker.log');
}

/** Opens a log for appending, as long as whoever writes to it lives. */
export function openLog(path: string): Promise<FileHandle> {
  return open(path, 'a', 0o600);
}

/** Keeps the logs from filling the disk. @returns stops it. */
export function keepLogsSmall(state: StateDir): () => void {
  const look = (): void => {
    for (const path of [edgeLogPath(state), workerLogPath(state)]) void setAside(path, serveDefaults.maxLogBytes);
  };
  look();
  const timer = setInterval(look, serveDefaults.logCheckMs);
  return () => clearInterval(timer);
}

/** Copies a log that is larger than `maxBytes` to `….1.log`, and empties it: its writer has it open and appends to it. */
export async function setAside(path: string, maxBytes: number): Promise<void> {
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size <= maxBytes) return;
  await copyFile(path, path.replace(/\.log$/, '.1.log'));
  await truncate(path);
}
