import type { CampaignId, TaskId, WorkflowId } from '#protocol';
import type { AsyncResult, Campaign, WorkflowResult } from '../../client/sdk/index.ts';
import type { Canvas } from './canvases.ts';
import type { Ending, Sample } from './samples.ts';

/** What was accepted, and what its submitters were told. */
export class Ledger {
  readonly samples = new Map<TaskId, Sample>();
  /** Who waits for the end of a task, and what was told; null as long as nothing was. */
  readonly listeners: { readonly id: TaskId; readonly way: string; told: Ending | null }[] = [];
  /** By idempotency key: what its submissions were answered with. */
  readonly keys = new Map<string, Set<string>>();
  readonly workflows = new Map<WorkflowId, Canvas>();
  /** All are the same; the first one was over before anything was disturbed. */
  readonly campaigns = new Set<CampaignId>();
  /** Submissions that were refused, with the reason. */
  readonly refused: string[] = [];
  /** Submissions of what had been submitted before. */
  repeats = 0;
  #isClosed = false;

  accept({ id }: AsyncResult<unknown>, sample: Sample, key?: string): void {
    this.samples.set(id, sample);
    if (key !== undefined) this.#answered(key, id);
  }

  acceptWorkflow({ id }: WorkflowResult<unknown>, canvas: Canvas, key: string): void {
    this.workflows.set(id, canvas);
    this.#answered(key, id);
  }

  acceptCampaign({ id }: Campaign, key: string): void {
    this.campaigns.add(id);
    this.#answered(key, id);
  }

  /** @param told how it ended, to somebody who submitted it in this way */
  async listen(id: TaskId, way: string, told: Promise<Ending>): Promise<void> {
    const listener = { id, way, told: null as Ending | null };
    this.listeners.push(listener);
    const ending = await told;
    if (!this.#isClosed) listener.told = ending;
  }

  /** What is told from now on is told too late. */
  close(): void {
    this.#isClosed = true;
  }

  #answered(key: string, id: string): void {
    this.keys.set(key, (this.keys.get(key) ?? new Set()).add(id));
  }
}
