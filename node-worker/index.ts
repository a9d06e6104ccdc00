export { workerConfig, type WorkerConfig, type WorkerConfigInput } from './config.ts';
export type { Component, Started } from './components/component.ts';
export type { WorkerContext } from './components/context.ts';
export { startWorker, type WorkerHandle, type WorkerHooks } from './worker.ts';
