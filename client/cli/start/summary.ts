import { resolve } from 'node:path';
import type { Objective, WorkerView } from '#protocol';
import type { Grid } from '../../sdk/index.ts';
import { clientDefaults, serveDefaults } from '../config.ts';
import { listValues, short } from '../lib/output.ts';
import type { Served } from '../serve/serve.ts';
import type { DemoResult } from './demo.ts';
import { rankOf, type KnownDesigns } from './designs.ts';
import type { Demonstration } from './start.ts';

/** How long the invite link counts. */
const inviteTtlSeconds = 7 * 86_400;

/** What was found and who computed it. */
export function describeDemonstration({ results, known, before, after }: Demonstration): string {
  return [...results.map((result) => describeResult(result, known)), `Who computed it\n${shares(before, after)}`].join(
    '\n\n',
  );
}

/** A link by which a tab joins. */
export async function inviteLink(grid: Grid): Promise<string> {
  const { url } = await grid.request<{ url: string }>('POST', '/v1/invites', { ttl: inviteTtlSeconds });
  return url;
}

/** Where to look from here. */
export async function describePlaces({ url, state }: Served, invite: string): Promise<string> {
  const dashboard = await fetch(`${url}/dashboard`).catch(() => undefined);
  const isDefault = url === clientDefaults.url && state.path === resolve(serveDefaults.stateDir);
  const where = isDefault ? '' : ` --url ${url} --state ${state.path}`;
  const places = [
    [invite.replace(/#.*/, ''), 'the page that computes; with the link below, as a trusted worker'],
    ...(dashboard?.ok === true ? [[`${url}/dashboard`, 'queues, workers, tasks, campaigns']] : []),
    [`${url}/docs`, 'the API'],
    [`npx tabgrid inspect stats${where}`, 'workers and queues'],
    [`npx tabgrid campaign list${where}`, 'what was found'],
    ['npx tabgrid --help', 'everything else'],
  ];
  const width = Math.max(...places.map(([place = '']) => place.length));
  const lines = places.map(([place = '', meaning = '']) => `  ${place.padEnd(width)}  ${meaning}`);
  return `Look around\n${lines.join('\n')}\n\n  ${invite}`;
}

/** What a campaign has found, held against what is known of all designs. */
function describeResult({ view, hypervolume, outcomes, seconds }: DemoResult, known: KnownDesigns): string {
  const { name, state, reason, best, progress, spec } = view;
  const [objective] = spec.objectives;
  const head = `${name}: ${state.toLowerCase()} after ${progress.evaluated} experiments in ${Math.round(seconds)} s`;
  if (state !== 'SUCCESS' || best === null || objective === undefined) {
    return `${head}\n  ${reason ?? 'no reason given'}`;
  }
  const value = best.values[objective.name] ?? Number.NaN;
  const found = outcomes.map((values) => values[objective.name] ?? Number.NaN);
  const facts = [
    ['best design', listValues(best.inputs)],
    ...('pool' in spec.space ? replayed(value, found, known, objective) : modelled(value, known, objective)),
    ['hypervolume', short(hypervolume)],
  ];
  const width = Math.max(...facts.map(([fact = '']) => fact.length));
  return [head, ...facts.map(([fact = '', text = '']) => `  ${fact.padEnd(width)}  ${text}`)].join('\n');
}

/** The designs that are worth finding: this share of all. */
const topShare = 0.05;

/** Every design’s outcome is known, so that a replay can be judged by the truth. */
function replayed(value: number, found: readonly number[], known: KnownDesigns, { name, goal }: Objective): string[][] {
  const rank = rankOf(value, known, goal);
  const [truth = Number.NaN] = known.ranked;
  const top = Math.round(known.count * topShare);
  const hits = found.filter((outcome) => rankOf(outcome, known, goal) <= top).length;
  const byChance = (found.length * top) / known.count;
  return [
    [
      name,
      rank === 1
        ? `${short(value)}, the best of all ${known.count} designs`
        : `${short(value)}, number ${rank} of all ${known.count} designs; the very best has ${short(truth)}`,
    ],
    [
      `top ${topShare * 100} %`,
      `${hits} of the ${top} best designs found; by chance it would be ${Math.round(byChance)}`,
    ],
  ];
}

function modelled(value: number, known: KnownDesigns, { name }: Objective): string[][] {
  const [measured = Number.NaN] = known.ranked;
  return [[name, `${short(value)} by the model; the best design that was ever tested has ${short(measured)}`]];
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
