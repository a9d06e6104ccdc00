import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { replaceFile } from '../lib/replace-file.ts';

/** Where everything of one grid on one’s own machine lies. Only its owner may look into it. */
export interface StateDir {
  readonly path: string;
  /** Databases of the Durable Objects. */
  readonly objects: string;
  /** Bytes of files. */
  readonly blobs: string;
  /** Uploads that are not complete yet. */
  readonly uploads: string;
  readonly logs: string;
  /** Signs tokens. */
  readonly secret: string;
  /** An admin token for this machine. */
  readonly token: string;
  readonly lock: string;
  readonly workerdConfig: string;
  readonly blobSocket: string;
}

/** The longest path that a Unix socket can have is 104 bytes on macOS, 108 on Linux. */
const maxSocketPathBytes = 100;

export function stateDir(path: string): StateDir {
  const absolute = resolve(path);
  const socket = join(absolute, 'blobs.sock');
  return {
    path: absolute,
    objects: join(absolute, 'do'),
    blobs: join(absolute, 'blobs'),
    uploads: join(absolute, 'blobs', '.uploads'),
    logs: join(absolute, 'log'),
    secret: join(absolute, 'secret'),
    token: join(absolute, 'token'),
    lock: join(absolute, 'lock'),
    workerdConfig: join(absolute, 'workerd.capnp'),
    blobSocket:
      Buffer.byteLength(socket) <= maxSocketPathBytes
        ? socket
        : join(tmpdir(), `tabgrid-${randomBytes(8).toString('hex')}.sock`),
  };
}

export async function createStateDir(path: string): Promise<StateDir> {
  const state = stateDir(path);
  await mkdir(state.path, { recursive: true });
  await chmod(state.path, 0o700);
  for (const folder of [state.objects, state.blobs, state.uploads, state.logs])
    await mkdir(folder, { recursive: true });
  return state;
}

/** The deployment’s secret: from the environment where it is set, else made at the first start and kept. */
export async function loadSecret(state: StateDir, environment: NodeJS.ProcessEnv): Promise<string> {
  if (environment.TABGRID_SECRET !== undefined && environment.TABGRID_SECRET !== '') return environment.TABGRID_SECRET;
  const kept = await readOrUndefined(state.secret);
  if (kept !== undefined) return kept;
  const made = randomBytes(32).toString('base64url');
  await writePrivateFile(state.secret, made);
  return made;
}

/** @returns the trimmed text, or undefined where there is no such file. */
export async function readOrUndefined(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes a file that only its owner can read; a reader finds it whole or not at all. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await replaceFile(path, (temporary) => writeFile(temporary, `${text}\n`, { mode: 0o600, flush: true }));
}
