import { TabgridError, type ErrorCode } from '#protocol';
import type { Env } from '../env.ts';
import { readFile } from '../files/access.ts';
import { writeLarge } from '../files/large.ts';
import { unwrap } from '../lib/rpc.ts';
import { nextWriting } from './core/files.ts';
import type { Sources, WorkflowEvent } from './core/types.ts';
import { contentOf, withFiles, type ReadPart } from './core/values.ts';
import type { Creation } from './rpc.ts';
import type { SourceReader } from './reader.ts';
import type { Stored } from './store.ts';

/** Work with files. It is never noted down: it follows from where the workflow stands, so that it is begun again after an eviction. */
export type Chore =
  /** The files of a workflow that a schedule has started. */
  | { readonly type: 'read'; readonly creation: Creation }
  | { readonly type: 'write'; readonly stored: Stored; readonly node: number; readonly path: string };

export function nextChore(stored: Stored | null, creation: Creation | null): Chore | null {
  if (stored === null) return creation === null ? null : { type: 'read', creation };
  const writing = nextWriting(stored.core);
  return writing === null ? null : { type: 'write', stored, ...writing };
}

/** Large files are read where they keep no object from its other work. @throws TabgridError as `pinSources`. */
export async function readSources(
  context: DurableObjectState,
  { owner, workflow_id: id, canvas }: Creation,
): Promise<Sources> {
  const { exports } = context as unknown as { exports: { SourceReader: Pick<SourceReader, 'read'> } };
  return unwrap(await exports.SourceReader.read(owner, id, canvas));
}

/** @throws what may pass, such as `unavailable`. */
export async function writeResult(
  env: Env,
  { stored, node, path }: Chore & { type: 'write' },
  readPart: ReadPart,
): Promise<WorkflowEvent> {
  try {
    const text = withFiles(contentOf(stored.core, node, readPart), (each) => readFile(env, stored.owner, each));
    await writeLarge(env, stored.owner, path, text, 'application/json');
    return { type: 'written', node, path };
  } catch (error) {
    if (!isLasting(error)) throw error;
    return { type: 'unwritable', node, code: error.code, message: error.message };
  }
}

const lasting: readonly ErrorCode[] = ['file_not_found', 'invalid_request', 'invalid_arguments', 'unknown_task'];

/** True for what will be the same whenever it is tried. */
export function isLasting(error: unknown): error is TabgridError {
  return error instanceof TabgridError && lasting.includes(error.code);
}
