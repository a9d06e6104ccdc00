import { open, rename, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { serveDefaults } from '../config.ts';
import type { StateDir } from './state-dir.ts';

/** All that the edge process prints. */
export function edgeLogPath(state: StateDir): string {
  return join(state.logs, 'edge.log');
}

/** Opens the log for appending. A large one is set aside first, in the place of the one before. */
export async function openEdgeLog(state: StateDir): Promise<FileHandle> {
  const path = edgeLogPath(state);
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size > serveDefaults.maxLogBytes) await rename(path, join(state.logs, 'edge.1.log'));
  return open(path, 'a', 0o600);
}
