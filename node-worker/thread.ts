import { parentPort } from 'node:worker_threads';
import { ComputeThread, serveThread } from '../client/worker/index.ts';
import { endpointOf } from './endpoint.ts';
import { memoryBytes } from './memory.ts';
import { threadParts } from './thread-parts.ts';

if (parentPort === null) throw new Error('This file runs in a worker thread.');
serveThread(new ComputeThread({ ...threadParts, memoryBytes }), endpointOf(parentPort));
