import { link, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { CommandError } from '../lib/errors.ts';
import {
  endProcess,
  identityOf,
  isRunning,
  processIdentitySchema,
  type ProcessIdentity,
} from '../lib/process-identity.ts';
import { readOrUndefined, type StateDir } from './state-dir.ts';

const lockSchema = z.object({
  holder: processIdentitySchema,
  /** Where it serves, for the message to whoever comes second. */
  url: z.string(),
  /** The edge process. It outlives its holder only if both its guards were killed with it. */
  edge: processIdentitySchema.nullable(),
});

/** The right of one process to serve a state directory. */
export interface StateLock {
  /** Remembers the edge process, so that the next one to serve can end it should it be left behind. */
  setEdge(edge: ProcessIdentity | null): Promise<void>;
  release(): Promise<void>;
}

/**
 * @throws CommandError when another process serves this directory.
 */
export async function lockState(state: StateDir, url: string): Promise<StateLock> {
  const holder = await identityOf(process.pid);
  if (holder === undefined) throw new CommandError('cannot read this process’s own start time');
  const write = async (edge: ProcessIdentity | null, place: (temporary: string) => Promise<void>): Promise<void> => {
    const temporary = `${state.lock}.${process.pid}.tmp`;
    try {
      await writeFile(temporary, JSON.stringify({ holder, url, edge }), { mode: 0o600 });
      await place(temporary);
    } finally {
      await rm(temporary, { force: true });
    }
  };

  // A hard link is made only if the name is free, and appears with its content.
  while (!(await linked(write, state.lock))) await removeStaleLock(state);
  return {
    setEdge: (edge) => write(edge, (temporary) => rename(temporary, state.lock)),
    release: () => rm(state.lock, { force: true }),
  };
}

async function linked(
  write: (edge: null, place: (temporary: string) => Promise<void>) => Promise<void>,
  path: string,
): Promise<boolean> {
  try {
    await write(null, (temporary) => link(temporary, path));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeStaleLock(state: StateDir): Promise<void> {
  const text = await readOrUndefined(state.lock);
  if (text === undefined) return;
  const lock = parseLock(text);
  if (lock !== undefined && (await isRunning(lock.holder))) {
    throw new CommandError(
      `${state.path} is already being served at ${lock.url} (process ${lock.holder.pid}). Stop that one, or pass another --state.`,
    );
  }
  if (lock?.edge) await endProcess(lock.edge);
  await discard(state.lock, text);
}

/** Removes the lock that was read, not one that somebody else has put in its place meanwhile. */
async function discard(path: string, text: string): Promise<void> {
  const aside = `${path}.${process.pid}.stale`;
  try {
    await rename(path, aside);
    if ((await readOrUndefined(aside)) !== text) await link(aside, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

function parseLock(text: string): z.infer<typeof lockSchema> | undefined {
  try {
    return lockSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
