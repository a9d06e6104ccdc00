import { isDeepStrictEqual } from 'node:util';
import {
  isFinal,
  type GridEvent,
  type Json,
  type TaskId,
  type TaskView,
  type CampaignView,
  type WorkflowView,
} from '#protocol';
import type { QueueView } from '../../client/sdk/flow.ts';
import { essenceOf as campaignEssence } from './campaign.ts';
import type { Canvas } from './canvases.ts';
import { attempts, crowds, earlyStarts, holes, lives, workflowEnds } from './history.ts';
import type { Ledger } from './ledger.ts';
import { essenceOf } from './samples.ts';

/** All that there is to see once everything should be over. */
export interface Rest {
  readonly tasks: ReadonlyMap<TaskId, TaskView>;
  readonly workflows: readonly { view: WorkflowView; result: Json; canvas: Canvas }[];
  /** The first one was over before anything was disturbed. */
  readonly campaigns: readonly CampaignView[];
  /** What the log remembers, oldest first. */
  readonly events: readonly GridEvent[];
  /** What a listener was told as it happened. */
  readonly heard: readonly GridEvent[];
  readonly queues: readonly QueueView[];
  /** Tasks that workers say they hold. */
  readonly active: number;
}

/** What does not hold, in words, by what must. */
export function violations(ledger: Ledger, rest: Rest): Record<string, string[]> {
  const { tasks, events, heard, workflows } = rest;
  return {
    'what is submitted is accepted': ledger.refused,
    'each key makes one task': [...ledger.keys].flatMap(([key, ids]) =>
      ids.size === 1 ? [] : [`${key} made ${[...ids].join(' ')}`],
    ),
    'nothing is there that was not submitted': strays(ledger, rest),
    'every task is there and over': [...new Set([...ledger.samples.keys(), ...tasks.keys()])].flatMap((id) => {
      const state = tasks.get(id)?.state;
      return state !== undefined && isFinal(state) ? [] : [`${id} is ${state}`];
    }),
    'every result is right': [...ledger.samples.keys()].flatMap((id) => wrongEnd(ledger, tasks.get(id))),
    'every submitter is told the right end': untold(ledger),
    'every workflow comes to the right result': workflows.flatMap(wrongResult),
    'every campaign goes as it did undisturbed': wayward(rest.campaigns),
    'each join fires once': workflows.flatMap(({ canvas }) => wrongCounts(canvas, tasks)),
    'each workflow ends once': workflowEnds(events, ledger.workflows.keys()),
    'the log has no hole and no repeat': holes(events),
    'a listener hears what the log has': isDeepStrictEqual(heard, events)
      ? []
      : [`${heard.length} events were heard, ${events.length} are in the log`, ...holes(heard)],
    'each task begins and ends once': lives(events, tasks),
    'no attempt has two leases': attempts(events),
    'nothing begins before its time': earlyStarts(events, tasks),
    'limits of concurrency are kept': crowds(events, ledger.samples),
    'nothing is left in queues or with workers': leftovers(rest),
  };
}

function strays(ledger: Ledger, { tasks, workflows, campaigns }: Rest): string[] {
  const standIns = new Set([...workflows.map(({ view }) => view), ...campaigns].map(({ task_id: id }) => id));
  return [...tasks.values()].flatMap(({ task_id: id, task, parent }) => {
    const isPart =
      parent !== null &&
      (('workflow_id' in parent && ledger.workflows.has(parent.workflow_id)) ||
        ('campaign_id' in parent && ledger.campaigns.has(parent.campaign_id)));
    return ledger.samples.has(id) || standIns.has(id) || isPart ? [] : [`${id} is a ${task} of nobody`];
  });
}

function wrongEnd({ samples }: Ledger, view: TaskView | undefined): string[] {
  if (view === undefined) return [];
  const { task_id: id, task, state, result, error, retries } = view;
  const sample = samples.get(id);
  const ending = state === 'SUCCESS' ? { state, result: essenceOf(task, result) } : { state, error: error?.type };
  const hasRetries = sample?.retries === undefined || sample.retries === retries;
  if (isDeepStrictEqual(ending, sample?.expected) && hasRetries) return [];
  return [`${id} came to ${brief(ending)} after ${retries} retries, not to ${brief(sample?.expected)}`];
}

function untold({ samples, listeners }: Ledger): string[] {
  return listeners.flatMap(({ id, way, told }) => {
    if (isDeepStrictEqual(told, samples.get(id)?.expected)) return [];
    return [`who waits for ${id} (${way}) was told of ${brief(told)}`];
  });
}

function wrongResult({ view, result, canvas }: Rest['workflows'][number]): string[] {
  const { workflow_id: id, state, succeeded, running } = view;
  const isRight = state === canvas.state && running === 0 && (state !== 'SUCCESS' || succeeded === canvas.succeeded);
  if (isRight && isDeepStrictEqual(result, canvas.result)) return [];
  return [`${id} is ${state}: ${succeeded} of ${canvas.succeeded}, ${running} running, ${brief(result)}`];
}

function wayward([calm, ...campaigns]: readonly CampaignView[]): string[] {
  const expected = calm && campaignEssence(calm);
  return campaigns.flatMap((view) => {
    const essence = campaignEssence(view);
    const isRight = view.state === 'SUCCESS' && isDeepStrictEqual(essence, expected);
    return isRight ? [] : [`${view.campaign_id} came to ${brief(essence)}`];
  });
}

function wrongCounts({ labelled }: Canvas, tasks: Rest['tasks']): string[] {
  return Object.entries(labelled).flatMap(([label, expected]) => {
    const count = [...tasks.values()].filter(({ labels }) => labels.includes(label)).length;
    return count === expected ? [] : [`${count} tasks are ${label}, not ${expected}`];
  });
}

function leftovers({ queues, active }: Rest): string[] {
  const full = queues.filter(({ waiting, scheduled, running }) => waiting + scheduled + running > 0);
  const held = active === 0 ? [] : [`workers hold ${active} tasks`];
  return [...full.map((queue) => brief(queue)), ...held];
}

function brief(value: unknown): string {
  return JSON.stringify(value ?? null).slice(0, 300);
}
