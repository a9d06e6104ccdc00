import { Pool } from 'undici';
import type { TaskView } from '#protocol';
import type { AsyncResult, Grid } from '../../client/sdk/index.ts';
import { signature } from '../../client/sdk/signature.ts';

/** Tasks in a request. The API takes 1,000 at most, and BullMQ gets as many. */
export const batchCount = 1000;

/** `tasks` no-ops in batches. */
export async function submitBatches(
  grid: Grid,
  tasks: number,
  batch = batchCount,
  queue?: string,
): Promise<AsyncResult<unknown>[]> {
  const one = signature('ping', {}, queue === undefined ? {} : { queue });
  const results: AsyncResult<unknown>[] = [];
  for (let from = 0; from < tasks; from += batch) {
    results.push(...(await grid.submitAll(Array.from({ length: Math.min(batch, tasks - from) }, () => one))));
  }
  return results;
}

/** A bare HTTP client: what the edge does without the SDK’s share. */
export function byHttp({ url, token }: { url: string; token: string }, connections: number): () => Promise<string> {
  const pool = new Pool(url, { connections });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ task: 'ping', kwargs: {} });
  return async () => {
    const answer = await pool.request({ method: 'POST', path: '/v1/tasks', headers, body });
    return ((await answer.body.json()) as { task_id: string }).task_id;
  };
}

/** `tasks` no-ops one by one, from `submitters` at a time. */
export async function submitSingly<Submitted>(
  submitOne: () => Promise<Submitted>,
  tasks: number,
  submitters: number,
): Promise<Submitted[]> {
  let left = tasks;
  const submitted: Submitted[] = [];
  const submit = async (): Promise<void> => {
    while (left-- > 0) submitted.push(await submitOne());
  };
  await Promise.all(Array.from({ length: submitters }, submit));
  return submitted;
}

/** Takes every result as it is told, and looks at it. */
export async function takeResults(results: readonly AsyncResult<unknown>[]): Promise<void> {
  const values = await Promise.all(results.map((result) => result.get()));
  const odd = values.find((value) => (value as { status?: unknown } | null)?.status !== 'pong');
  if (odd !== undefined) throw new Error(`a task came to ${JSON.stringify(odd)}`);
}

/** Reads the results of `count` tasks submitted since a time, once all are there. @param last the id of one of the last */
export async function readResults(grid: Grid, since: Date, count: number, last: string): Promise<void> {
  await grid.result(last).settled();
  // Others may have come after it, or end after it.
  for (;;) {
    const tasks = await readAll(grid, since);
    const open = tasks.find(({ state }) => state !== 'SUCCESS');
    if (open === undefined && tasks.length === count) {
      const odd = tasks.find(({ result }) => (result as { status?: unknown } | null)?.status !== 'pong');
      if (odd !== undefined) throw new Error(`${odd.task_id} came to ${JSON.stringify(odd.result)}`);
      return;
    }
    if (open === undefined) throw new Error(`expected ${count} tasks, got ${tasks.length}`);
    if (open.state === 'FAILURE' || open.state === 'REVOKED') throw new Error(`${open.task_id} is ${open.state}`);
    await grid.result(open.task_id).settled();
  }
}

/** Pages as large as the API gives. */
export async function readAll(grid: Grid, since: Date): Promise<TaskView[]> {
  const tasks: TaskView[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query = new URLSearchParams({ since: since.toISOString(), limit: '1000', ...(cursor && { cursor }) });
    const page: { tasks: TaskView[]; next_cursor: string | null } = await grid.request('GET', `/v1/tasks?${query}`);
    tasks.push(...page.tasks);
    cursor = page.next_cursor;
  }
  return tasks;
}
