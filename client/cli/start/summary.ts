import type { WorkerView } from '#protocol';
import { listValues, short } from '../lib/output.ts';
import type { DemoResult } from './demo.ts';
import { rankOf, type KnownDesigns } from './designs.ts';
import type { Demonstration, Started } from './start.ts';

/** How long the invite link counts. */
const inviteTtlSeconds = 7 * 86_400;

/** What was found and who computed it. */
export function describeDemonstration({ results, known, before, after }: Demonstration): string {
  return [...results.map((result) => describeResult(result, known)), `Who computed it\n${shares(before, after)}`].join(
    '\n\n',
  );
}

/** Where to look from here. */
export async function describePlaces({ served, grid }: Started): Promise<string> {
  const { url: invite } = await grid.request<{ url: string }>('POST', '/v1/invites', { ttl: inviteTtlSeconds });
  const dashboard = await fetch(`${served.url}/dashboard`).catch(() => undefined);
  const places = [
    ...(dashboard?.ok === true ? [[`${served.url}/dashboard`, 'queues, workers, tasks, campaigns']] : []),
    [`${served.url}/docs`, 'the API'],
    ['npx tabgrid inspect stats', 'workers and queues'],
    ['npx tabgrid campaign list', 'what was found'],
    ['npx tabgrid --help', 'everything else'],
  ];
  const width = Math.max(...places.map(([place = '']) => place.length));
  const lines = places.map(([place = '', meaning = '']) => `  ${place.padEnd(width)}  ${meaning}`);
  return `Lend it a browser tab: whoever has this link computes as a trusted worker\n  ${invite}\n\nLook around\n${lines.join('\n')}`;
}

/** What a campaign has found, held against what is known of all designs. */
function describeResult({ view, hypervolume, seconds }: DemoResult, known: KnownDesigns): string {
  const { name, state, reason, best, progress, spec } = view;
  const [objective] = spec.objectives;
  const head = `${name}: ${state.toLowerCase()} after ${progress.evaluated} experiments in ${short(Math.round(seconds))} s`;
  if (state !== 'SUCCESS' || best === null || objective === undefined) {
    return `${head}\n  ${reason ?? 'no reason given'}`;
  }
  const value = best.values[objective.name] ?? Number.NaN;
  const judged = 'pool' in spec.space ? replayed(value, known, objective.goal) : modelled(known);
  return [
    head,
    `  best design  ${listValues(best.inputs)}`,
    `  ${objective.name.padEnd(11)}  ${short(value)}, ${judged}`,
    `  hypervolume  ${short(hypervolume)}`,
  ].join('\n');
}

function replayed(value: number, known: KnownDesigns, goal: 'max' | 'min'): string {
  const rank = rankOf(value, known, goal);
  const [truth = Number.NaN] = known.ranked;
  if (rank === 1) return `the best of all ${known.count} designs`;
  return `number ${rank} of all ${known.count} designs; the best has ${short(truth)}`;
}

function modelled(known: KnownDesigns): string {
  const [measured = Number.NaN] = known.ranked;
  return `says the model; the best design that was ever tested has ${short(measured)}`;
}

/** Who has computed how much since `before`, the busiest first. */
function shares(before: readonly WorkerView[], after: readonly WorkerView[]): string {
  const known = new Map(before.map((worker) => [worker.worker_id, worker]));
  const rows = after
    .map((worker) => {
      const earlier = known.get(worker.worker_id);
      return {
        name: worker.name,
        tasks: worker.succeeded - (earlier?.succeeded ?? 0),
        seconds: worker.busy_seconds - (earlier?.busy_seconds ?? 0),
      };
    })
    .filter(({ tasks }) => tasks > 0)
    .sort((a, b) => b.seconds - a.seconds);
  const total = rows.reduce((sum, { seconds }) => sum + seconds, 0);
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  return rows
    .map(({ name, tasks, seconds }) => {
      const percent = total === 0 ? 0 : Math.round((100 * seconds) / total);
      return `  ${name.padEnd(width)}  ${String(percent).padStart(3)} %  ${tasks} tasks, ${short(Math.round(seconds * 10) / 10)} s of computing`;
    })
    .join('\n');
}
