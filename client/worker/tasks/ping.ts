import type { TaskBody } from './body.ts';

export const ping: TaskBody<'ping'> = async ({ workerName }) => ({ status: 'pong', worker: workerName });
