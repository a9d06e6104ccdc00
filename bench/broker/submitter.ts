import { Pool } from 'undici';
import type { TaskView } from '#protocol';
import type { Grid } from '../../client/sdk/index.ts';
import { signature } from '../../client/sdk/signature.ts';

/** Tasks in a request. The API takes 1,000 at most, and BullMQ gets as many. */
export const batchCount = 1000;

/** `tasks` no-ops in batches. @returns the id of the last. */
export async function submitBatches(grid: Grid, tasks: number, batch = batchCount, queue?: string): Promise<string> {
  const one = signature('ping', {}, queue === undefined ? {} : { queue });
  let last = '';
  for (let from = 0; from < tasks; from += batch) {
    const submitted = await grid.submitAll(Array.from({ length: Math.min(batch, tasks - from) }, () => one));
    for (const { id } of submitted) last = id;
  }
  return last;
}

/** Submits one task and answers with its id. */
export type SubmitOne = () => Promise<string>;

/** Through the SDK, which makes an idempotency key for each request. */
export function bySdk(grid: Grid): SubmitOne {
  return async () => (await grid.submit('ping', {})).id;
}

/** A bare HTTP client: what the edge does without the SDK’s share. */
export function byHttp({ url, token }: { url: string; token: string }, connections: number): SubmitOne {
  const pool = new Pool(url, { connections });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ task: 'ping', kwargs: {} });
  return async () => {
    const answer = await pool.request({ method: 'POST', path: '/v1/tasks', headers, body });
    return ((await answer.body.json()) as { task_id: string }).task_id;
  };
}

/** `tasks` no-ops one by one, from `submitters` at a time. @returns the id of the last. */
export async function submitSingly(submitOne: SubmitOne, tasks: number, submitters: number): Promise<string> {
  let left = tasks;
  let last = '';
  const submit = async (): Promise<void> => {
    while (left-- > 0) last = await submitOne();
  };
  await Promise.all(Array.from({ length: submitters }, submit));
  return last;
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
