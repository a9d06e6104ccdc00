/** The worker process of bullmq.mjs: `node bullmq-worker.mjs SOCKET CONCURRENCY`. Says when it is ready; ends when standard input does. */
import { Worker } from 'bullmq';

const [, , socket, concurrency] = process.argv;
const worker = new Worker('bench', async () => ({ status: 'pong', started_ns: String(process.hrtime.bigint()) }), {
  connection: { path: socket, maxRetriesPerRequest: null },
  concurrency: Number(concurrency),
});
await worker.waitUntilReady();
process.stdout.write('ready\n');
process.stdin.on('end', () => void worker.close()).resume();
