import type { CampaignView } from '#protocol';
import type { CampaignSpecInput } from '../../client/sdk/index.ts';

/** Training, search and evaluation in turns, small. */
export const campaignSpec: CampaignSpecInput = {
  name: 'sum',
  space: {
    inputs: [
      { name: 'a', type: 'float', min: -5, max: 5 },
      { name: 'b', type: 'float', min: -5, max: 5 },
    ],
  },
  objectives: [{ name: 'y', goal: 'max' }],
  evaluator: { kind: 'builtin', name: 'plain' },
  surrogate: { kind: 'mlp', hidden: [16], epochs: 40, members: 2 },
  initial: 4,
  batch_size: 3,
  budget: 10,
  seed: 7,
};

/** What must not depend on who computed it, and when. */
export function essenceOf({ state, reason, best, history }: CampaignView): unknown {
  const iterations = history.map(({ iteration, evaluated, best: soFar, proposed }) => {
    return { iteration, evaluated, best: soFar, proposed };
  });
  return { state, reason, best, iterations };
}
