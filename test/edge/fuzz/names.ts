import { controlCommands, inspectViews } from '#protocol';
import type { Route } from '../../../edge/api/route.ts';
import { queue, type Property } from './neighbour.ts';

/** What leads somewhere, by the parameter that it stands in; `any` of all kinds. */
export interface Names {
  readonly any: readonly string[];
  readonly campaignIds: readonly string[];
  readonly byParameter: (route: Route, name: string) => readonly string[];
}

export function namesOf(owners: readonly Property[]): Names {
  const ids = {
    tasks: [
      ...owners.flatMap(({ taskIds }) => taskIds),
      '0-01aaaaaaaaaaaaaaaaaaaaaaaa',
      '77-01aaaaaaaaaaaaaaaaaaaaaaaa',
    ],
    campaigns: [...owners.map(({ campaignId }) => campaignId), 'c-01aaaaaaaaaaaaaaaaaaaaaaaa'],
    workflows: [...owners.map(({ workflowId }) => workflowId), 'w-01aaaaaaaaaaaaaaaaaaaaaaaa'],
    uploads: [...owners.map(({ uploadId }) => uploadId), 'a'.repeat(32)],
    schedules: [...owners.map(({ schedule }) => schedule), 'none'],
    queues: [queue, 'default', 'empty'],
    'task-types': ['evaluate_candidates', 'ping', 'tasks.simple_tasks.ping'],
    workers: ['w1', 'nobody'],
  } as const;
  const byResource: Readonly<Record<string, readonly string[]>> = { ...ids, leases: ids.tasks };
  const known: Readonly<Record<string, readonly string[]>> = {
    view: inspectViews,
    command: controlCommands,
    n: ['0', '1', '2', '1001'],
    path: [...owners.map(({ path }) => path), 'private', 'new/file.csv', 'private/%C3%A9'],
    jti: ['nobodys'],
  };
  const any = Object.values(ids).flat();
  return {
    any,
    campaignIds: ids.campaigns,
    byParameter: (route, name) => known[name] ?? byResource[route.path.split('/')[2] ?? ''] ?? any,
  };
}
