import type { Endpoint } from 'comlink';
import { ComputeThread, pauseByMessage, serveThread, systemClock } from '../../worker/index.ts';
import { bodies } from '../../worker/tasks/index.ts';

/** One core: a Web Worker that computes one attempt at a time, with the same code as a thread of a Node worker. */
serveThread(new ComputeThread({ bodies, clock: systemClock, pause: pauseByMessage() }), self as unknown as Endpoint);
