import { describe, expect, it } from 'vitest';
import { shardOf, sortableId, type CampaignId, type TaskId } from '#protocol';
import { BrokerMessages } from '../../../edge/campaign/messages.ts';
import { edgeDefaults } from '../../../edge/config.ts';
import { SortableIds } from '../../../edge/lib/ids.ts';

const sortable = sortableId(1_700_000_000_000, new Uint8Array(10));
const home = `2-${sortable}` as TaskId;
type Parts = ConstructorParameters<typeof BrokerMessages>[0];

/** What a campaign whose task is in shard 2 sends, and where to. */
function campaign(drainingShards: number[]) {
  const sent: { to: string; type: string }[] = [];
  const clock = { now: () => 1_700_000_000_000, randomBytes: (count: number) => new Uint8Array(count) };
  const messages = new BrokerMessages({
    campaignId: `c-${sortable}` as CampaignId,
    registration: { owner: 'ada', taskId: home },
    ids: new SortableIds(clock as unknown as ConstructorParameters<typeof SortableIds>[0]),
    config: { ...edgeDefaults, shards: 3, drainingShards },
    outbox: { send: ({ name }: { name: string }, { type }: { type: string }) => void sent.push({ to: name, type }) },
  } as unknown as Parts);
  const kwargs = { candidates: [{ x: 1 }], evaluator: { kind: 'builtin', name: 'sphere' } };
  const submitted = messages.submit([{ ref: 'e1', task: 'evaluate_candidates', kwargs }] as never, 0);
  return { messages, sent, taskId: submitted[0]!.taskId };
}

describe('a campaign', () => {
  it('keeps its tasks in the shard that its own is in', () => {
    const { sent, taskId } = campaign([]);
    expect(shardOf(taskId)).toBe(2);
    expect(sent).toEqual([{ to: 'broker-2', type: 'submit' }]);
  });

  it('sends new tasks elsewhere while that one is drained, and reaches each where it is', () => {
    const { messages, sent, taskId } = campaign([2]);
    const elsewhere = shardOf(taskId);
    expect(elsewhere).not.toBe(2);
    messages.revoke([taskId, home]);
    messages.event('campaign-progress', {}, 0);
    expect(sent).toEqual([
      { to: `broker-${elsewhere}`, type: 'submit' },
      { to: `broker-${elsewhere}`, type: 'revoke' },
      { to: 'broker-2', type: 'revoke' },
      { to: 'broker-2', type: 'events' },
    ]);
  });
});
