import { setImmediate } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import type { Json } from '#protocol';
import {
  ComputeThread,
  serveThread,
  systemClock,
  type TaskBody,
  type TaskContext,
} from '../../../client/worker/index.ts';
import { bodies } from '../../../client/worker/tasks/index.ts';
import { endpointOf } from '../../../node-worker/endpoint.ts';
import { memoryBytes } from '../../../node-worker/memory.ts';

const leakedBytes = 20 * 1024 * 1024;
const leaked: unknown[] = [];
/** Node’s types know of its types, but not of its constructors. */
const { WebAssembly: webAssembly } = globalThis as unknown as {
  WebAssembly: { Memory: new (size: { initial: number }) => object };
};

async function leak(memory: unknown): Promise<number> {
  return leaked.push(memory);
}

/** What a test wants a body to do: the body of `run_campaign`, whose one argument is text, reads it as `behaviour:number`. */
const behaviours: Record<string, (context: TaskContext, argument: number) => Promise<Json>> = {
  /** Never looks up. */
  hang: async () => {
    for (;;);
  },
  /** Goes on until it is told to stop. */
  wait: async (context) => {
    for (;;) await context.yield();
  },
  soft: async (context) => {
    while (!context.softLimit.aborted) await context.yield();
    return 'ended softly';
  },
  softThrow: async (context) => {
    for (;;) {
      context.softLimit.throwIfAborted();
      await context.yield();
    }
  },
  crash: async () => process.exit(3),
  /** Fills memory, and keeps it. */
  hoard: async (_, megabytes) => {
    (globalThis as { hoard?: Uint8Array }).hoard = new Uint8Array(megabytes * 1024 * 1024).fill(1);
    return process.memoryUsage().external;
  },
  /** Leaks 20 MB a task, and tells how often it has been run in this thread. */
  leakHeap: () => leak(Array.from({ length: 500_000 }, (_, n) => ({ n }))),
  leakBuffers: () => leak(new Uint8Array(leakedBytes).fill(1)),
  leakKernels: () => leak(new webAssembly.Memory({ initial: leakedBytes / 65_536 })),
  read: async (context, index) => new TextDecoder().decode(await context.files.read(`/files/${index}`)),
  records: async (context, to) =>
    new TextDecoder().decode(await context.files.records('/rows.csv', { from: 2, to, sha256: 'ff' })),
  write: async (context) => context.files.write('/out/x.txt', new TextEncoder().encode('written'), 'text/plain'),
  progress: async (context) => {
    for (let n = 0; n <= 100; n++) context.progress({ fraction: n / 100, message: `step ${n}` });
    return 'told';
  },
  big: async (_, characters) => 'x'.repeat(characters),
  environment: async () => Object.keys(process.env),
  threadMark: async () => {
    const marked = globalThis as { runs?: number };
    marked.runs = (marked.runs ?? 0) + 1;
    return marked.runs;
  },
  handOver: async (context, byte) => {
    context.handOver(Uint8Array.of(byte));
    throw new Error('again, please');
  },
  /** Counts to the argument and can be continued. */
  count: async (context, limit) => {
    let n = context.snapshot ? new DataView(context.snapshot.slice().buffer).getUint32(0) : 0;
    const from = n;
    while (n < limit) {
      n++;
      context.checkpoint(() => {
        const bytes = new Uint8Array(4);
        new DataView(bytes.buffer).setUint32(0, n);
        return bytes;
      });
      await context.yield();
    }
    return { from, n };
  },
};

if (parentPort === null) throw new Error('This file runs in a worker thread.');
const runBehaviour: TaskBody<'run_campaign'> = async (context, { campaign_id }) => {
  const [name = '', argument] = campaign_id.split(':');
  return (await behaviours[name]!(context, Number(argument))) as never;
};
serveThread(
  new ComputeThread({
    bodies: { ...bodies, run_campaign: runBehaviour },
    clock: systemClock,
    pause: () => setImmediate(undefined),
    memoryBytes,
  }),
  endpointOf(parentPort),
);
