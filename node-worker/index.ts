export { workerConfig, type WorkerConfig, type WorkerConfigInput } from './config.ts';
export { startWorker, type WorkerHandle, type WorkerHooks } from './worker.ts';
