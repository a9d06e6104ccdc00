import type { CampaignPicture } from '../page-state.ts';
import { campaignStateInWords, count, measured } from '../words.ts';
import { BestCurve } from './best-curve.tsx';
import { FrontPlot } from './front-plot.tsx';

/** The campaign that the work is for: how far it is, and what it has found. */
export function Campaigns({ picture }: { picture: CampaignPicture }) {
  const { campaign, pareto } = picture;
  const { evaluated, budget, fraction } = campaign.progress;
  const id = `campaign-${campaign.campaign_id}`;
  const [objective] = campaign.spec.objectives;
  const best = objective === undefined ? undefined : campaign.best?.values[objective.name];
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id}>
        {campaign.name} <small>{campaignStateInWords(campaign.state)}</small>
      </h2>
      <progress max={1} value={fraction} aria-label={`Progress of ${campaign.name}`} />
      <p class="campaign-line">
        {evaluated.toLocaleString('en')} of {count(budget, 'experiment', 'experiments')}
        {campaign.state === 'RUNNING' ? `, ${campaign.progress.step}` : '. '}
        {campaign.reason}
      </p>
      {pareto !== null && pareto.front.length > 0 ? (
        <FrontPlot objectives={campaign.spec.objectives} front={pareto.front} />
      ) : (
        objective !== undefined && <BestCurve objective={objective} history={campaign.history} budget={budget} />
      )}
      {pareto === null && objective !== undefined && best !== undefined && (
        <p class="campaign-best">
          <span>Best {objective.name} so far</span> <strong>{measured(best)}</strong>
        </p>
      )}
      {pareto !== null && (
        <p class="campaign-best">
          <span>Best trade-offs found</span> <strong>{pareto.front.length}</strong>
        </p>
      )}
    </section>
  );
}
