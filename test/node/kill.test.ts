import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CampaignSpecInput } from '../../client/sdk/index.ts';
import { essence, finish, runReplay, untilEvaluated } from './helpers/campaigns.ts';
import { edgePid, freshFolder, startTestServe, startTestWorker, type TestServe } from './helpers/processes.ts';
import { RedisServer } from './helpers/redis.ts';
import { untilGone } from './helpers/wait.ts';

/** Where only workers and the edge’s process are killed: `faults.test.ts`. */
describe('a campaign in the middle of which something is killed', () => {
  it('ends the same when the server is killed with all that belongs to it, and started again', async () => {
    const serve = await startTestServe(await freshFolder());
    const worker = startTestWorker(serve, 'worker');
    const expected = essence(await finish(await runReplay(serve.grid)));
    const campaign = await runReplay(serve.grid);
    await untilEvaluated(campaign, 12);
    const pid = await edgePid(serve.state);
    await serve.running.stop('SIGKILL');
    await untilGone(pid);
    const again = await startTestServe(serve.state, Number(new URL(serve.url).port));
    expect(essence(await finish(again.grid.campaigns.get(campaign.id)))).toEqual(expected);
    expect(worker.child.exitCode).toBeNull();
  });
});

describe('long evaluations that a Redis keeps', () => {
  const spec: CampaignSpecInput = {
    name: 'hill',
    space: {
      inputs: [
        { name: 'a', type: 'float', min: -5, max: 5 },
        { name: 'b', type: 'float', min: -5, max: 5 },
      ],
    },
    objectives: [{ name: 'y', goal: 'min' }],
    evaluator: { kind: 'named', name: 'hill' },
    surrogate: { kind: 'mlp', hidden: [16], epochs: 60, members: 2 },
    initial: 4,
    batch_size: 4,
    budget: 16,
    seed: 3,
  };

  const setup = async (): Promise<{
    serve: TestServe;
    redis: RedisServer;
    startMember: (name: string) => ReturnType<typeof startTestWorker>;
  }> => {
    const folder = await freshFolder();
    const script = join(folder, 'hill.py');
    await writeFile(
      script,
      'import json, sys, time\nx = json.load(sys.stdin)\ntime.sleep(0.2)\nprint(json.dumps({"y": (x["a"] - 1) ** 2 + x["b"] ** 2}))\n',
    );
    const redis = await RedisServer.start();
    onTestFinished(() => redis.remove());
    const serve = await startTestServe(join(folder, 'state'));
    const startMember = (name: string) =>
      startTestWorker(serve, name, ['--redis', redis.url, '--evaluator', `hill=python3 ${script}`]);
    return { serve, redis, startMember };
  };

  let calm: unknown;

  it('give the same campaign when the Redis is killed', async () => {
    const first = await setup();
    first.startMember('calm');
    calm = essence(await finish(await first.serve.grid.campaigns.run(spec)));

    const { serve, redis, startMember } = await setup();
    startMember('worker');
    const campaign = await serve.grid.campaigns.run(spec);
    await untilEvaluated(campaign, 5);
    await redis.kill();
    await redis.start();
    expect(essence(await finish(campaign))).toEqual(calm);
  });

  it('give the same campaign when the worker and the edge are killed', async () => {
    const { serve, startMember } = await setup();
    const worker = startMember('first');
    const campaign = await serve.grid.campaigns.run(spec);
    await untilEvaluated(campaign, 5);
    await worker.stop('SIGKILL');
    process.kill(await edgePid(serve.state), 'SIGKILL');
    startMember('second');
    expect(essence(await finish(campaign))).toEqual(calm);
  });
});
