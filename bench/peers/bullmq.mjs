/**
 * BullMQ as a peer: `node bullmq.mjs bullmq SOCKET LABEL` submits to the Redis at SOCKET, while a worker process of its own
 * (bullmq-worker.mjs) computes. Answers each line of JSON with one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [, , , socket, label] = process.argv;
const connection = { path: socket, maxRetriesPerRequest: null };
const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

const { Queue, QueueEvents } = await import('bullmq');
// By default the stream of events forgets all but the last 10,000, so that a submitter who reads slowly would miss results.
const queue = new Queue('bench', { connection, streams: { events: { maxLen: 1_000_000 } } });
const events = new QueueEvents('bench', { connection });
await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);

/** Gets every result, as it is told. */
let completed = () => undefined;
events.on('completed', ({ jobId, returnvalue }) => completed(jobId, returnvalue));
events.on('failed', ({ failedReason }) => {
  throw new Error(failedReason);
});

/** Resolves when the results of `count` further jobs have been read. */
function results(count) {
  return new Promise((resolve) => {
    let left = count;
    completed = (id, result) => {
      if (result.status !== 'pong') throw new Error(`job ${id} came to ${JSON.stringify(result)}`);
      if (--left === 0) resolve();
    };
  });
}

let worker = null;

/** The worker process, started anew when another concurrency is wanted. */
async function work(concurrency) {
  if (worker?.concurrency === concurrency) return;
  await rest();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bullmq-worker.mjs'), socket, String(concurrency)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  worker = { concurrency, child };
}

async function rest() {
  if (worker === null) return;
  worker.child.stdin.end();
  await once(worker.child, 'exit');
  worker = null;
}

const works = {
  /** `tasks` jobs in batches of `batch`. */
  async bulk({ tasks, batch, concurrency }) {
    await work(concurrency);
    const begunMs = performance.now();
    const read = results(tasks);
    for (let from = 0; from < tasks; from += batch) {
      const length = Math.min(batch, tasks - from);
      await queue.addBulk(Array.from({ length }, () => ({ name: 'ping', data: {} })));
    }
    await read;
    return { tasks_per_s: (tasks / (performance.now() - begunMs)) * 1000 };
  },

  /** `tasks` jobs one by one, from `submitters` at a time. */
  async single({ tasks, submitters, concurrency }) {
    await work(concurrency);
    const begunMs = performance.now();
    const read = results(tasks);
    let left = tasks;
    const submit = async () => {
      while (left-- > 0) await queue.add('ping', {});
    };
    await Promise.all([...Array.from({ length: submitters }, submit), read]);
    return { tasks_per_s: (tasks / (performance.now() - begunMs)) * 1000 };
  },

  /** Milliseconds from submitting to the start in the idle worker, `tasks` times, one after the other. */
  async latency({ tasks, concurrency }) {
    await work(concurrency);
    const waits = [];
    for (let i = 0; i < tasks; i++) {
      const begunNs = process.hrtime.bigint();
      const read = new Promise((resolve) => (completed = (_, result) => resolve(result)));
      await queue.add('ping', {});
      const { started_ns: startedNs } = await read;
      waits.push(Number(BigInt(startedNs) - begunNs) / 1e6);
    }
    waits.sort((a, b) => a - b);
    return { p50: waits[Math.floor(tasks * 0.5)], p99: waits[Math.floor(tasks * 0.99)] };
  },
};

const { version } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'node_modules', 'bullmq', 'package.json'), 'utf8'),
);
say({ peer: `BullMQ ${version} (${label})` });
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  say(await works[request.work](request));
}
await rest();
await Promise.all([queue.close(), events.close()]);
