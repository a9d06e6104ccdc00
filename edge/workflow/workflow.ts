import { DurableObject } from 'cloudflare:workers';
import type { CanvasNode, Principal, WorkflowId, WorkflowStarted, WorkflowView } from '#protocol';
import type { Env } from '../env.ts';
import { SwitchableClock } from '../lib/clock.ts';
import type { Envelope, ObjectAddress } from '../lib/outbox.ts';
import { reply, type Reply } from '../lib/rpc.ts';
import type { Sources } from './core/types.ts';
import type { WorkflowApi } from './rpc.ts';
import { Workflowing } from './workflowing.ts';

/** One workflow: the thin object. It turns calls and alarms into work for `Workflowing`, and keeps nothing itself. */
export class Workflow extends DurableObject<Env> implements WorkflowApi {
  readonly clock = new SwitchableClock();
  readonly workflowing: Workflowing;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.workflowing = new Workflowing(context, env, this.clock);
  }

  started(principal: Principal, digest: string): Promise<Reply<WorkflowStarted | null>> {
    return reply(() => this.workflowing.started(principal, digest));
  }

  create(
    principal: Principal,
    workflowId: WorkflowId,
    canvas: CanvasNode,
    sources: Sources,
    digest: string,
  ): Promise<Reply<WorkflowStarted>> {
    return reply(() => this.workflowing.create(principal, workflowId, canvas, sources, digest));
  }

  view(principal: Principal): Promise<Reply<WorkflowView>> {
    return reply(() => this.workflowing.view(principal));
  }

  wait(principal: Principal, seconds: number): Promise<Reply<WorkflowView>> {
    return reply(() => this.workflowing.wait(principal, seconds));
  }

  revoke(principal: Principal, terminate: boolean): Promise<Reply<WorkflowView>> {
    return reply(() => this.workflowing.revoke(principal, terminate));
  }

  graph(principal: Principal): Promise<Reply<string>> {
    return reply(() => this.workflowing.graph(principal));
  }

  deliver(sender: ObjectAddress, messages: Envelope[]): Promise<Reply<number>> {
    return reply(() => this.workflowing.engine.deliver(sender, messages));
  }

  /** Its calls are counted when they end. */
  taskProgress(): Promise<Reply<null>> {
    return reply(() => null);
  }

  override async alarm(): Promise<void> {
    await this.workflowing.engine.alarm();
  }
}
