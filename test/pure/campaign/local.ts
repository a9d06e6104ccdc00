import { TabgridError, type CampaignSpec, type Json } from '#protocol';
import { rehearse, type TaskEnd } from '../../../edge/campaign/core/rehearse.ts';
import type { CampaignCore, PlannedTask } from '../../../edge/campaign/core/types.ts';
import type { LocalTask, Workbench } from '../tasks/context.ts';
import { id } from './world.ts';

/** A campaign with the real bodies and kernels, in this process. */
export function runCampaign(
  bench: Workbench,
  spec: CampaignSpec,
  isEnough: (state: CampaignCore) => boolean = () => false,
): Promise<CampaignCore> {
  return rehearse(id, spec, {
    read: async (path) => bench.read(path),
    write: async (path, bytes) => void bench.files.set(path, bytes),
    delete: async (path) => void bench.files.delete(path),
    execute: (task) => execute(bench, task),
    now: () => 0,
    isEnough,
  });
}

async function execute(bench: Workbench, { task, kwargs }: PlannedTask): Promise<TaskEnd> {
  try {
    const result = (await bench.run(task as LocalTask, kwargs as never)) as Json;
    return { state: 'SUCCESS', result, error: null };
  } catch (error) {
    if (!(error instanceof TabgridError)) throw error;
    return { state: 'FAILURE', result: null, error: { type: error.code, message: error.message } };
  }
}
