import { WorkerEntrypoint } from 'cloudflare:workers';
import { TabgridError, type Assignment, type Json, type Outcome } from '#protocol';
import type { Env } from '../env.ts';
import { log } from '../lib/log.ts';
import { bodies, type EdgeBody } from './bodies/index.ts';

/** Runs light tasks in the stateless Worker: the broker calls it under an ordinary lease, so that nothing heavy runs inside the object. */
export class EdgeExecutor extends WorkerEntrypoint<Env> {
  async run(assignment: Assignment): Promise<Outcome> {
    try {
      return { type: 'success', result: await runBody(this.env, assignment) };
    } catch (error) {
      return failure(error);
    }
  }
}

async function runBody(env: Env, assignment: Assignment): Promise<Json> {
  const body: EdgeBody | undefined = Object.hasOwn(bodies, assignment.task)
    ? bodies[assignment.task as keyof typeof bodies]
    : undefined;
  if (body === undefined) throw new TabgridError('internal', `${assignment.task} has no body at the edge`);
  return body(env, assignment);
}

function failure(error: unknown): Outcome {
  if (error instanceof TabgridError) {
    return { type: 'failure', retryable: false, error: { type: error.code, message: error.message } };
  }
  log('error', 'edge-task-failed', { error });
  const message = error instanceof Error ? error.message : String(error);
  return { type: 'failure', retryable: true, error: { type: 'task_failed', message: message.slice(0, 10_000) } };
}
