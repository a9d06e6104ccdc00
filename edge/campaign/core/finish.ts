import type { ErrorCode } from '#protocol';
import { evaluatedCount } from './observed.ts';
import { bestView } from './record.ts';
import { plain } from './score.ts';
import { trainingTasks } from './train.ts';
import type { CampaignCore, Phase, Step } from './types.ts';

export function fail(state: CampaignCore, code: ErrorCode, reason: string, nowMs: number): Step {
  return finish(state, 'FAILURE', reason, code, nowMs);
}

/** The end: what is under way is revoked, and the task that stands for the campaign gets its outcome. `code` is the error’s, for a failure. */
export function finish(
  state: CampaignCore,
  name: 'SUCCESS' | 'FAILURE' | 'STOPPED',
  reason: string,
  code: ErrorCode | null,
  nowMs: number,
): Step {
  const { phase, campaignId } = state;
  const evaluated = evaluatedCount(state.candidates);
  const best = bestView(state);
  const result = plain({ campaign_id: campaignId, reason, evaluated, best });
  const litter = phase.type === 'training' ? unfinishedFiles(state, phase) : [];
  return {
    state: {
      ...state,
      phase: { type: 'finished', state: name, reason },
      paused: false,
      held: false,
      finishedMs: nowMs,
    },
    commands: [
      { type: 'revoke_all' },
      ...(litter.length === 0 ? [] : [{ type: 'delete_files', paths: litter } as const]),
      { type: 'event', event: 'campaign-finished', data: plain({ state: name, reason, evaluated, best }) },
      {
        type: 'finish',
        outcome:
          code === null
            ? { type: 'success', result }
            : { type: 'failure', error: { type: code, message: reason }, retryable: false },
      },
    ],
  };
}

/** What an interrupted training leaves behind. */
function unfinishedFiles(state: CampaignCore, phase: Phase & { type: 'training' }): string[] {
  const models = trainingTasks(state, phase).flatMap(({ kwargs }) =>
    typeof kwargs.model_path === 'string' ? [kwargs.model_path] : [],
  );
  return [...models, ...(phase.dataPath === null ? [] : [phase.dataPath])];
}
