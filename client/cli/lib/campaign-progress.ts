import type { CampaignView } from '#protocol';
import { listValues, short } from './output.ts';
import type { ProgressRow } from './progress-display.ts';

/** A campaign as a row of progress. */
export function campaignRow(view: CampaignView): ProgressRow {
  const { evaluated, budget, fraction, step } = view.progress;
  const best = view.best === null ? '' : `  best ${briefly(view.best.values)}`;
  const now = view.finished_at === null ? step : view.state.toLowerCase();
  return {
    label: view.name,
    fraction: view.finished_at === null ? fraction : 1,
    detail: `${String(evaluated).padStart(String(budget).length)} of ${budget}${best}  ${now}`,
  };
}

/** One value needs no name. */
function briefly(values: Readonly<Record<string, number>>): string {
  const [only, ...more] = Object.values(values);
  return only !== undefined && more.length === 0 ? short(only) : listValues(values);
}
