import type { CampaignId, CampaignSpec, Json, TaskError } from '#protocol';
import { readFiles } from './load.ts';
import { begin, step } from './step.ts';
import { trainingData } from './train.ts';
import type { CampaignCommand, CampaignCore, CampaignEvent, PlannedTask, Step } from './types.ts';

/** How a task ended. */
export interface TaskEnd {
  readonly state: 'SUCCESS' | 'FAILURE';
  readonly result: Json;
  readonly error: TaskError | null;
}

/** What a rehearsal is carried out with. */
export interface Stage {
  read(path: string): Promise<Uint8Array>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  delete(path: string): Promise<void>;
  execute(task: PlannedTask): Promise<TaskEnd>;
  /** Milliseconds; they go into the seconds of each iteration and nothing else. */
  now(): number;
  /** Asked after each event: true ends the rehearsal where it is. */
  isEnough?(state: CampaignCore): boolean;
}

/**
 * A whole campaign in one process, one task after the other: the same decisions as on a grid, without one. For benchmarks, and for trying a
 * specification.
 *
 * @returns the campaign, finished or far enough.
 */
export async function rehearse(campaignId: CampaignId, spec: CampaignSpec, stage: Stage): Promise<CampaignCore> {
  const waiting: PlannedTask[] = [];
  let { state } = begin(campaignId, spec, stage.now());
  const apply = async (next: Step): Promise<void> => {
    state = next.state;
    for (const command of next.commands) await carryOut(command, waiting, stage);
  };
  await apply(step(state, await load(spec, stage), stage.now()));
  while (state.phase.type !== 'finished' && stage.isEnough?.(state) !== true) {
    const { phase } = state;
    if (phase.type === 'training' && phase.dataPath !== null && !phase.written) {
      await stage.write(phase.dataPath, new TextEncoder().encode(trainingData(state)));
      await apply(step(state, { type: 'data_written', path: phase.dataPath }, stage.now()));
    }
    const task = waiting.shift();
    if (task === undefined) throw new Error(`Nothing is under way, but the campaign is still ${state.phase.type}.`);
    const end = await stage.execute(task);
    await apply(step(state, { type: 'task_finished', ref: task.ref, ...end }, stage.now()));
  }
  return state;
}

async function load(spec: CampaignSpec, stage: Stage): Promise<CampaignEvent> {
  try {
    const pool = 'pool' in spec.space ? await stage.read(spec.space.pool) : null;
    const dataset = spec.dataset_path === undefined ? null : await stage.read(spec.dataset_path);
    return readFiles(spec, { pool, dataset });
  } catch (error) {
    return { type: 'not_loaded', message: error instanceof Error ? error.message : String(error) };
  }
}

async function carryOut(command: CampaignCommand, waiting: PlannedTask[], stage: Stage): Promise<void> {
  switch (command.type) {
    case 'submit':
      waiting.push(...command.tasks);
      return;
    case 'revoke_all':
      waiting.length = 0;
      return;
    case 'delete_files':
      for (const path of command.paths) await stage.delete(path);
      return;
    case 'event':
    case 'finish':
      return;
  }
}
