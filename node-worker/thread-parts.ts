import { setImmediate } from 'node:timers/promises';
import { systemClock, type ThreadParts } from '../client/worker/index.ts';
import { bodies } from '../client/worker/tasks/index.ts';

/** What a `ComputeThread` is made of in Node, wherever it runs. */
export const threadParts: ThreadParts = { bodies, clock: systemClock, pause: () => setImmediate(undefined) };
