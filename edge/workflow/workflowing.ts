import {
  owns,
  TabgridError,
  type CanvasNode,
  type Principal,
  type WorkflowId,
  type WorkflowStarted,
  type WorkflowView,
} from '#protocol';
import type { Env } from '../env.ts';
import type { Clock } from '../lib/clock.ts';
import { graphOf } from './core/graph.ts';
import type { Sources } from './core/types.ts';
import { viewOf } from './core/views.ts';
import { Engine, missing } from './engine.ts';
import type { Stored } from './store.ts';

/** What can be asked of one workflow. Refusals are thrown as `TabgridError`s. */
export class Workflowing {
  readonly engine: Engine;

  constructor(context: DurableObjectState, env: Env, clock: Clock) {
    this.engine = new Engine(context, env, clock);
  }

  started(principal: Principal, digest: string): WorkflowStarted | null {
    const { stored } = this.engine;
    if (stored === null) return null;
    if (stored.owner === principal.sub && stored.digest === digest) return answerOf(stored);
    throw new TabgridError('idempotency_conflict', 'this workflow was started with another canvas');
  }

  create(
    principal: Principal,
    workflowId: WorkflowId,
    canvas: CanvasNode,
    sources: Sources,
    digest: string,
  ): WorkflowStarted {
    const before = this.started(principal, digest);
    return before ?? answerOf(this.engine.create(principal.sub, workflowId, canvas, sources, digest));
  }

  view(principal: Principal): WorkflowView {
    const stored = this.#owned(principal);
    return viewOf(stored.core, stored, this.engine.result());
  }

  async wait(principal: Principal, seconds: number): Promise<WorkflowView> {
    this.#owned(principal);
    await this.engine.wait(seconds);
    return this.view(principal);
  }

  revoke(principal: Principal, terminate: boolean): WorkflowView {
    this.#owned(principal);
    this.engine.commit(() => this.engine.apply({ type: 'revoke', terminate, byTask: false }));
    return this.view(principal);
  }

  graph(principal: Principal): string {
    return graphOf(this.#owned(principal).core);
  }

  #owned(principal: Principal): Stored {
    const { stored } = this.engine;
    if (stored === null || !owns(principal, stored.owner)) throw missing();
    return stored;
  }
}

function answerOf({ core, taskId }: Stored): WorkflowStarted {
  return { workflow_id: core.workflowId, task_id: taskId };
}
