import { setImmediate } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { ComputeThread, serveThread, systemClock } from '../client/worker/index.ts';
import { bodies } from '../client/worker/tasks/index.ts';
import { endpointOf } from './endpoint.ts';
import { memoryBytes } from './memory.ts';

if (parentPort === null) throw new Error('This file runs in a worker thread.');
const pause = () => setImmediate(undefined);
serveThread(new ComputeThread({ bodies, clock: systemClock, pause, memoryBytes }), endpointOf(parentPort));
