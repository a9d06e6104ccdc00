import { setTimeout as sleep } from 'node:timers/promises';
import { openStates, type GridEvent, type Json, type TaskView } from '#protocol';
import type { Grid } from '../../client/sdk/index.ts';
import { readAll } from '../broker/submitter.ts';
import type { Ledger } from './ledger.ts';
import type { Rest } from './invariants.ts';

/** Looks until everything is over, or nothing more has ended for `patienceMs`. */
export async function untilOver(grid: Grid, patienceMs: number): Promise<void> {
  let fewest = Infinity;
  let sinceMs = performance.now();
  while (performance.now() - sinceMs < patienceMs) {
    const open = await openCount(grid);
    if (open === 0) return;
    if (open < fewest) [fewest, sinceMs] = [open, performance.now()];
    await sleep(250);
  }
}

/** Tasks in queues and with workers, workflows and campaigns. */
async function openCount(grid: Grid): Promise<number> {
  const queues = await grid.queues();
  let count = queues.reduce((sum, { waiting, scheduled, running }) => sum + waiting + scheduled + running, 0);
  for (const task of ['run_workflow', 'run_campaign']) {
    const query = `task=${task}&state=${openStates.join(',')}&limit=1000`;
    count += (await grid.request<{ tasks: unknown[] }>('GET', `/v1/tasks?${query}`)).tasks.length;
  }
  return count;
}

/** Reads all that there is. @param heard what a listener has been told, which goes on; at most `patienceMs` are given to it */
export async function readRest(
  grid: Grid,
  ledger: Ledger,
  heard: readonly GridEvent[],
  patienceMs: number,
): Promise<Rest> {
  const tasks = new Map(
    (await readAll(grid, new Date(0))).map((task): [TaskView['task_id'], TaskView] => [task.task_id, task]),
  );
  const workflows = await Promise.all(
    [...ledger.workflows].map(async ([id, canvas]) => {
      const view = await grid.workflows.get(id).view();
      const result = view.state === 'SUCCESS' ? ((await grid.workflows.get(id).get()) as Json) : null;
      return { view, result, canvas };
    }),
  );
  const campaigns = await Promise.all([...ledger.campaigns].map((id) => grid.campaigns.get(id).view()));
  const events: GridEvent[] = [];
  for await (const event of grid.eventHistory()) events.push(event);
  // Pages are in the order of time, so that those of several shards can be merged.
  events.sort((a, b) => a.seq - b.seq);
  const lastSeq = seqOf(events);
  const endMs = performance.now() + patienceMs;
  while (seqOf(heard) < lastSeq && performance.now() < endMs) await sleep(20);
  const workers = await grid.workers();
  return {
    tasks,
    workflows,
    campaigns,
    events,
    heard: heard.filter(({ seq }) => seq <= lastSeq),
    queues: await grid.queues(),
    active: workers.reduce((sum, { active }) => sum + active, 0),
  };
}

/** The number of the last one. */
function seqOf(events: readonly GridEvent[]): number {
  return events[events.length - 1]?.seq ?? 0;
}
