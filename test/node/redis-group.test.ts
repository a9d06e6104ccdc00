import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startWorker, type WorkerHandle } from '../../node-worker/index.ts';
import { connectRedis } from '../../node-worker/redis/connect.ts';
import { RedisKeys } from '../../node-worker/redis/keys.ts';
import { EvaluationStore } from '../../node-worker/redis/store.ts';
import { bundleWorker, type WorkerBundle } from './helpers/bundle.ts';
import { FakeEdge } from './helpers/fake-edge.ts';
import { RedisServer } from './helpers/redis.ts';
import { until } from './helpers/wait.ts';

let bundle: WorkerBundle;
let server: RedisServer;
let edge: FakeEdge;
const workers: WorkerHandle[] = [];

beforeAll(async () => {
  bundle = await bundleWorker();
  server = await RedisServer.start();
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.abort('the test is over')));
  await edge.stop();
});
afterAll(async () => {
  await server.remove();
  await bundle.remove();
});

async function startEdge(): Promise<void> {
  edge = new FakeEdge();
  await edge.start();
}

async function startMember(prefix: string, command: string): Promise<string[]> {
  const logs: string[] = [];
  const { threadFile, kernelsFile } = bundle;
  const worker = await startWorker(
    {
      url: edge.url,
      token: 'good',
      threadFile,
      kernelsFile,
      concurrency: 1,
      redis: server.url,
      redisPrefix: prefix,
      evaluationHeartbeatMs: 50,
      evaluationClaimAfterMs: 300,
      evaluators: { sim: command },
    },
    { log: (line) => logs.push(line) },
  );
  workers.push(worker);
  return logs;
}

const kwargs = (candidates: object[]) => ({ candidates, evaluator: { kind: 'named', name: 'sim' } }) as never;

describe('a member of a group', () => {
  it('gives a candidate up that has outlived five workers, and evaluates the others', async () => {
    await startEdge();
    const ref = edge.submit('evaluate_candidates', kwargs([{ x: 1 }, { x: 2 }]));
    const redis = connectRedis(server.url, 'dead', () => undefined);
    const dead = new EvaluationStore(redis, new RedisKeys('poison'), 'dead');
    await dead.prepare(['sim']);
    await dead.enqueue(edge.adopted(ref), 'sim');
    await dead.take(redis, ['sim'], 1, 10);
    for (let n = 0; n < 4; n++) await dead.takeOver('sim', 0, 1);
    redis.disconnect();
    await startMember('poison', 'echo 5');
    expect(await until(() => edge.outcomeOf(ref))).toMatchObject({
      result: {
        values: [null, { y: 5 }],
        failed: [{ index: 0, error: expect.stringMatching(/^worker_lost: /) as string }],
      },
    });
  });

  it('goes on when somebody has emptied Redis', async () => {
    await startEdge();
    const logs = await startMember('emptied', 'echo 5');
    await until(() => edge.peers.length > 0);
    const redis = server.client();
    await redis.flushall();
    redis.disconnect();
    await until(() => logs.length > 0);
    const ref = edge.submit('evaluate_candidates', kwargs([{ x: 1 }]));
    expect(await until(() => edge.outcomeOf(ref))).toMatchObject({ type: 'success' });
  });

  it('tells of a result that the edge refuses for good as a failure', async () => {
    await startEdge();
    edge.refuseResults = true;
    await startMember('refused', 'echo 5');
    const ref = edge.submit('evaluate_candidates', kwargs([{ x: 1 }]));
    await until(() => edge.requests.find(({ url }) => url === `/v1/leases/${ref.task_id}/failure`));
  });
});
