import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Result } from '#catalog';
import { chain, group, s, si, WorkflowTimeout, type WorkflowResult } from '../../../client/sdk/index.ts';
import { FakeSocket, json, refusal, setup } from './fakes.ts';

const id = `w-${'0'.repeat(26)}`;
const folder = `/results/workflows/${id}`;
const view = (state: string, more: object = {}): Response =>
  json({ workflow_id: id, task_id: `3-${'0'.repeat(26)}`, state, succeeded: 0, result: null, error: null, ...more });

const setupWorkflow = () => {
  const { grid, edge, clock } = setup();
  return { workflow: grid.workflows.get(id), grid, edge, clock };
};

async function socket(number: number): Promise<FakeSocket> {
  for (;;) {
    const opened = FakeSocket.opened[number];
    if (opened !== undefined) return opened;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('workflows', () => {
  it('are started with a key that makes it repeatable, and have the type of their canvas', async () => {
    const { grid, edge } = setup();
    edge.answers(new TypeError('fetch failed'), json({ workflow_id: id, task_id: '0-x' }, 202));
    const started = await grid.run(group(s('ping'), chain(s('ping'), si('ping', {}))));
    expectTypeOf(started).toEqualTypeOf<WorkflowResult<[Result<'ping'>, Result<'ping'>]>>();
    expect(started.id).toBe(id);
    expect(JSON.parse(edge.seen[1]!.body)).toEqual({
      group: [
        { task: 'ping', kwargs: {} },
        {
          chain: [
            { task: 'ping', kwargs: {} },
            { task: 'ping', kwargs: {}, immutable: true },
          ],
        },
      ],
    });
    await grid.workflows.submit(s('ping'), { idempotencyKey: 'mine' });
    const keys = edge.seen.map(({ headers }) => headers.get('idempotency-key'));
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).toBe('mine');
  });

  it('are listed, drawn and revoked', async () => {
    const { workflow, grid, edge } = setupWorkflow();
    edge.answers(
      json({ workflows: [{ workflow_id: 'w-1' }], next_cursor: 'more' }),
      json({ workflows: [{ workflow_id: 'w-2' }], next_cursor: null }),
      new Response('digraph {}'),
      view('REVOKED'),
    );
    const listed: string[] = [];
    for await (const { workflow_id } of grid.workflows.list({ state: 'STARTED', label: 'a' })) listed.push(workflow_id);
    expect(listed).toEqual(['w-1', 'w-2']);
    expect(await workflow.graph()).toBe('digraph {}');
    expect((await workflow.revoke({ terminate: true })).state).toBe('REVOKED');
    expect(edge.seen.map(({ method, url }) => `${method} ${url.pathname}${url.search}`)).toEqual([
      'GET /v1/workflows?state=STARTED&label=a',
      'GET /v1/workflows?state=STARTED&label=a&cursor=more',
      `GET /v1/workflows/${id}/graph`,
      `POST /v1/workflows/${id}/revoke`,
    ]);
    expect(JSON.parse(edge.seen[3]!.body)).toEqual({ terminate: true });
  });
});

describe('the result of a workflow', () => {
  it('is waited for in long requests', async () => {
    const { workflow, edge } = setupWorkflow();
    edge.answers(view('STARTED'), view('STARTED'), view('SUCCESS', { result: [1, { file: '/mine.csv' }] }));
    expect(await workflow.get()).toEqual([1, { file: '/mine.csv' }]);
    expect(edge.seen.map(({ url }) => url.searchParams.get('wait'))).toEqual(['25', '25', '25']);
  });

  it('is read from the files of the workflow in which its large parts lie', async () => {
    const { workflow, edge } = setupWorkflow();
    edge.answers((request) => {
      if (request.url.pathname.startsWith('/v1/workflows')) {
        return view('SUCCESS', { result: [{ file: `${folder}/0.json` }, { file: `${folder}/1.json`, more: 1 }] });
      }
      return json(request.url.pathname.endsWith('/0.json') ? [7, { file: `${folder}/2.json` }] : 'deep');
    });
    expect(await workflow.get()).toEqual([[7, 'deep'], { file: `${folder}/1.json`, more: 1 }]);
    expect(edge.seen.map(({ url }) => url.pathname)).toEqual([
      `/v1/workflows/${id}`,
      `/v1/files${folder}/0.json`,
      `/v1/files${folder}/2.json`,
    ]);
  });

  it('is the first failure where it failed, with the task and the place', async () => {
    const { workflow, edge } = setupWorkflow();
    const error = { type: 'invalid_input', message: 'bad', task_id: '0-x', path: 'chain.1', traceback: 'at' };
    edge.answers(view('FAILURE', { error }));
    await expect(workflow.get()).rejects.toMatchObject({
      code: 'invalid_input',
      message: 'chain.1: bad',
      details: { task_id: '0-x', path: 'chain.1', traceback: 'at' },
    });
    const revoked = setupWorkflow();
    revoked.edge.answers(view('REVOKED'));
    await expect(revoked.workflow.get()).rejects.toMatchObject({ code: 'revoked' });
    const gone = setupWorkflow();
    gone.edge.answers(refusal('not_found', 404));
    await expect(gone.workflow.get()).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is given up after the time that it was given, and goes on', async () => {
    const { workflow, edge, clock } = setupWorkflow();
    edge.answers(() => {
      clock.advance(20_000);
      return view('STARTED');
    });
    const error: unknown = await workflow.get({ timeoutSeconds: 30 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WorkflowTimeout);
    expect(error).toMatchObject({
      message: `workflow ${id} is still STARTED after 30 s`,
      workflow: { state: 'STARTED' },
    });
    expect(edge.seen.map(({ url }) => url.searchParams.get('wait'))).toEqual(['25', '10']);
  });

  it('is told of on the way, from the shard of the task that stands for it', async () => {
    const { workflow, edge } = setupWorkflow();
    let succeeded = 0;
    edge.answers((request) => {
      if (request.url.searchParams.has('wait')) return view('SUCCESS', { result: 'done' });
      succeeded++;
      return view(succeeded < 4 ? 'STARTED' : 'SUCCESS', { succeeded });
    });
    const told: number[] = [];
    const pending = workflow.get({
      onProgress: (progress) => {
        told.push(progress.succeeded);
        FakeSocket.opened[0]!.emit(
          'message',
          JSON.stringify({ seq: succeeded, type: 'workflow-progress', time: '2030-01-01T00:00:00.000Z' }),
        );
      },
    });
    const events = await socket(0);
    events.emit('open');
    expect(await pending).toBe('done');
    expect(told).toEqual([2, 3, 4]);
    expect(events.url.search).toBe(
      `?workflow_id=${id}&types=workflow-progress%2Cworkflow-finished&shard=3&position=true`,
    );
    expect(events.closed).toBe(true);
  });

  it('ends its wait with what the listener throws', async () => {
    const { workflow, edge } = setupWorkflow();
    edge.answers(view('STARTED'));
    const pending = workflow.settled({
      onProgress: () => {
        throw new Error('no room on the screen');
      },
    });
    const events = await socket(0);
    events.emit('open');
    await expect(pending).rejects.toThrow('no room on the screen');
    expect(events.closed).toBe(true);
  });
});
