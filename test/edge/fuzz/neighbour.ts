import type { Json } from '#protocol';
import { ask, tokenFor } from '../helpers/api.ts';

/** Stands in everything that the neighbour owns and nobody else may see. */
export const secret = 'zq-neighbours-secret-7f3a';

/** What an owner has of each kind. */
export interface Property {
  readonly taskIds: readonly string[];
  readonly campaignId: string;
  readonly workflowId: string;
  readonly uploadId: string;
  readonly schedule: string;
  readonly path: string;
}

export interface Owner {
  readonly sub: string;
  readonly token: string;
}

export function owner(sub: string): Owner {
  return { sub, token: tokenFor(['submit', 'read'], { sub }) };
}

/** A queue that no worker of the tests serves but those that mean it. */
export const queue = 'fuzzed';

/** Gives an owner one of everything, with `text` in all that is its own. */
export async function settle({ token }: Owner, text: string): Promise<Property> {
  const done = async <T>(method: string, path: string, json?: Json, body?: string): Promise<T> => {
    const answer = await ask(method, path, {
      token,
      ...(json === undefined ? {} : { json }),
      ...(body === undefined ? {} : { body }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json<T>();
  };
  const evaluation = {
    task: 'evaluate_candidates',
    kwargs: { candidates: [[1, 2]], evaluator: { kind: 'named', name: text } },
    labels: [text],
    queue,
  };
  const path = '/private/plan.csv';
  const { tasks } = await done<{ tasks: { task_id: string }[] }>('POST', '/v1/tasks', [
    evaluation,
    { ...evaluation, concurrency_key: text, idempotency_key: text, max_retries: 0 },
    { ...evaluation, countdown: 86_400 },
  ]);
  await done('PUT', `/v1/files${path}`, undefined, `${text},y\n1,2\n`);
  await done('PUT', `/v1/files/private/${text}.csv`, undefined, text);
  const { upload_id: uploadId } = await done<{ upload_id: string }>('POST', '/v1/uploads', { path: `/up/${text}` });
  const schedule = 'nightly';
  await done('PUT', `/v1/schedules/${schedule}`, { schedule: { every: 86_400 }, signature: evaluation });
  const { workflow_id: workflowId } = await done<{ workflow_id: string }>('POST', '/v1/workflows', {
    chain: [evaluation, { ...evaluation, immutable: true }],
    labels: [text],
  });
  const { campaign_id: campaignId } = await done<{ campaign_id: string }>('POST', '/v1/campaigns/run', {
    name: text,
    space: { inputs: [{ name: text, type: 'float', min: 0, max: 1 }] },
    objectives: [{ name: 'y', goal: 'max' }],
    evaluator: { kind: 'named', name: text },
    initial: 2,
    budget: 4,
    seed: 1,
  });
  return { taskIds: tasks.map(({ task_id: id }) => id), campaignId, workflowId, uploadId, schedule, path };
}
