import { WebSocket } from 'undici';
import { z } from 'zod';
import type { Assignment, WorkerId } from '#protocol';
import {
  sessionDefaults,
  systemClock,
  WebSocketTransport,
  WorkerSession,
  type ExecutionListener,
  type Executor,
} from '../../client/worker/index.ts';

const settingsSchema = z.object({
  url: z.string(),
  sessions: z.int().min(1),
  concurrency: z.int().min(1),
  prefetch: z.int().min(1),
});

/** Answers `ping` in this thread, in a later turn of the event loop’s microtasks. */
const executor: Executor = {
  start: ({ task }: Assignment, tell: ExecutionListener) => {
    if (task !== 'ping') throw new Error(`expected ping, got ${task}`);
    queueMicrotask(() => {
      const begunMs = performance.now();
      tell({ type: 'started' });
      const result = { status: 'pong', worker: String(process.hrtime.bigint()) };
      tell({ type: 'finished', outcome: { type: 'success', result }, runtimeMs: performance.now() - begunMs });
    });
  },
  abort: () => undefined,
  askSnapshot: () => undefined,
  resize: () => undefined,
  recycle: () => undefined,
  close: () => Promise.resolve(),
};

const { url, sessions, concurrency, prefetch } = settingsSchema.parse(JSON.parse(process.argv[2] ?? 'null'));
const token = process.env.TABGRID_TOKEN ?? '';
const running = Array.from({ length: sessions }, (_, index) => {
  const session = new WorkerSession(
    {
      ...sessionDefaults,
      workerId: `bench:${process.pid}-${index}` as WorkerId,
      name: `bench-${index}`,
      queues: ['default'],
      concurrency,
      prefetch,
      capabilities: { runtime: 'node', cores: 1, gpu: false, tasks: ['ping'], evaluators: [] },
      kernelDigest: '0'.repeat(64),
    },
    {
      transports: [
        new WebSocketTransport({
          url,
          token: () => token,
          open: (address, protocols) => new WebSocket(address, protocols),
          fetch,
        }),
      ],
      executor,
      clock: systemClock,
    },
  );
  session.start();
  return session;
});

process.once('SIGTERM', () => {
  for (const session of running) session.leave('the benchmark is over');
  // Once the frames of farewell are written.
  setImmediate(() => process.exit());
});
