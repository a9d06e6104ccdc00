import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { TaskView, WorkflowId, WorkflowView } from '#protocol';
import { beatAddress } from '../../edge/beat/rpc.ts';
import { brokerShard } from '../../edge/broker/rpc.ts';
import { writeFile } from '../../edge/files/access.ts';
import { workflowObject } from '../../edge/workflow/rpc.ts';
import { testEnv } from './helpers/api.ts';
import { BeatWorld, idle } from './helpers/beat.ts';
import { alice, ok } from './helpers/broker.ts';

const canvas = { group: [idle, { chain: [idle, { ...idle, immutable: true }] }], labels: ['nightly'] };

async function workflowOf(world: BeatWorld, name: string): Promise<WorkflowId> {
  const { last_task_id: id } = await world.view(name);
  return `w-${id!.slice(id!.indexOf('-') + 1)}` as WorkflowId;
}

function viewOf(id: WorkflowId): Promise<WorkflowView> {
  return ok(workflowObject(testEnv, id).view(alice));
}

/** Waits until the workflow has begun and has told the broker so. */
async function begun(id: WorkflowId): Promise<TaskView> {
  const stub = testEnv.WORKFLOW.get(testEnv.WORKFLOW.idFromName(id));
  for (;;) {
    const isSilent = await runInDurableObject(stub, async ({ workflowing: { engine } }) => {
      await engine.alarm();
      return engine.stored !== null && engine.holder.parts.outboxStore.targets().length === 0;
    });
    if (isSilent) return ok(brokerShard(testEnv, 0).get(alice, (await viewOf(id)).task_id));
  }
}

describe('a schedule of a workflow', () => {
  it('starts one with each tick, which its task tells of', async () => {
    const world = await BeatWorld.create();
    const tick = world.in(60);
    const put = await world.put('w', { signature: canvas });
    expect(put).toMatchObject({ task: 'run_workflow', signature: canvas });
    await world.advance(60);
    await world.delivered();
    const id = await workflowOf(world, 'w');
    const label = `schedule:${world.prefix}w`;
    expect(await begun(id)).toMatchObject({
      task_id: (await world.view('w')).last_task_id,
      task: 'run_workflow',
      kwargs: { workflow_id: id },
      labels: ['nightly', label],
      parent: { schedule: `${world.prefix}w`, tick },
    });
    expect(await viewOf(id)).toMatchObject({ state: 'STARTED', total: 3, running: 2, labels: ['nightly', label] });
    expect(await world.tasks('w')).toHaveLength(3);
    const { task_id: task } = await ok(world.api.run('alice', `${world.prefix}w`, null));
    expect((await workflowOf(world, 'w')).slice(2)).toBe(task.slice(task.indexOf('-') + 1));
    expect(await workflowOf(world, 'w')).not.toBe(id);
  });

  it('starts it once when objects die on the way, and the beat says it twice', async () => {
    const world = await BeatWorld.create();
    await world.put('w', { signature: canvas });
    await world.mute();
    await world.advance(60);
    const id = await workflowOf(world, 'w');
    const messages = await world.waiting();
    expect(messages).toHaveLength(1);
    const say = (): Promise<unknown> => workflowObject(testEnv, id).deliver(beatAddress, messages);
    await say();
    await world.evict();
    await say();
    await world.delivered();
    await begun(id);
    const again = messages.map((message) => ({ ...message, seq: message.seq + 1 }));
    await workflowObject(testEnv, id).deliver(beatAddress, again);
    expect(await viewOf(id)).toMatchObject({ total: 3, running: 2 });
    expect(await world.tasks('w')).toHaveLength(3);
  });

  it('reads the files that it names when the tick comes, and fails where they are missing', async () => {
    const world = await BeatWorld.create();
    const path = `/items/${world.prefix}.ndjson`;
    const { task, kwargs } = idle;
    const items = { starmap: { task, items: { file: path }, kwargs: { evaluator: kwargs.evaluator } } };
    await world.put('w', { signature: items });
    await world.advance(60);
    await world.delivered();
    const missing = await workflowOf(world, 'w');
    await begun(missing);
    expect(await viewOf(missing)).toMatchObject({
      state: 'FAILURE',
      total: 0,
      error: {
        type: 'file_not_found',
        message: expect.stringContaining(`starmap.items.file: there is no file`) as string,
      },
    });
    await writeFile(testEnv, 'alice', path, new TextEncoder().encode('[[[1]]]\n[[[2]]]\n'), 'application/x-ndjson');
    await world.advance(60);
    await world.delivered();
    const id = await workflowOf(world, 'w');
    await begun(id);
    expect(await viewOf(id)).toMatchObject({ state: 'STARTED', total: 2, running: 2 });
  });
});
