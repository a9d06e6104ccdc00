import { startWorker, type WorkerConfigInput } from '../../../node-worker/index.ts';

/** A worker as a process: its options are the argument, its log and events go to standard output as JSON lines. */
const config = JSON.parse(process.argv[2] ?? '{}') as WorkerConfigInput;
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const worker = await startWorker(config, {
  log: (message) => say({ type: 'log', message }),
  onEvent: (event) => say(event),
});
let asked = false;
process.on('SIGTERM', () => {
  void (asked ? worker.abort('told twice') : worker.stop('told'));
  asked = true;
});
const error = await worker.closed;
say({ type: 'over', code: error?.code ?? null });
