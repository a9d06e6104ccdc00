import { TabgridError } from '#protocol';
import { KernelInputError } from '#kernels';
import type { Env } from '../env.ts';
import { deleteFile, readFile, writeFile } from '../files/access.ts';
import { readFiles } from './core/load.ts';
import { trainingData } from './core/train.ts';
import type { CampaignCore, CampaignEvent } from './core/types.ts';

/** Work with files. It is never noted down: it follows from where the campaign stands, so that it is begun again after an eviction. */
export type Chore =
  | { readonly type: 'load' }
  | { readonly type: 'write_data'; readonly path: string }
  | { readonly type: 'delete'; readonly path: string };

/** What is to be done now, or null. */
export function nextChore({ phase }: CampaignCore, doomed: string | null): Chore | null {
  if (phase.type === 'loading') return { type: 'load' };
  if (phase.type === 'training' && phase.dataPath !== null && !phase.written) {
    return { type: 'write_data', path: phase.dataPath };
  }
  return doomed === null ? null : { type: 'delete', path: doomed };
}

/** Does a chore that may be done any number of times. @returns the event to tell the campaign, if any. @throws what may pass, such as `unavailable`. */
export async function doChore(
  env: Env,
  owner: string,
  core: CampaignCore,
  chore: Chore,
): Promise<CampaignEvent | null> {
  switch (chore.type) {
    case 'load':
      return loadFiles(env, owner, core);
    case 'write_data':
      await writeFile(env, owner, chore.path, new TextEncoder().encode(trainingData(core)), 'text/csv');
      return { type: 'data_written', path: chore.path };
    case 'delete':
      await deleteFile(env, owner, chore.path);
      return null;
  }
}

async function loadFiles(env: Env, owner: string, { spec }: CampaignCore): Promise<CampaignEvent> {
  const { space, dataset_path: datasetPath } = spec;
  let place = '';
  const read = async (path: string): Promise<Uint8Array> => {
    place = path;
    return readFile(env, owner, path);
  };
  try {
    const pool = 'pool' in space ? await read(space.pool) : null;
    const dataset = datasetPath === undefined ? null : await read(datasetPath);
    place = '';
    return readFiles(spec, { pool, dataset });
  } catch (error) {
    if (error instanceof KernelInputError) return { type: 'not_loaded', message: error.message };
    if (error instanceof TabgridError && error.code === 'file_not_found') {
      return { type: 'not_loaded', message: `${place}: the file does not exist` };
    }
    throw error;
  }
}
