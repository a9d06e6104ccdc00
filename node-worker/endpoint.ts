import type { MessagePort, Worker } from 'node:worker_threads';
import type { Endpoint } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

/** One end of the way between a worker thread and its host, as comlink speaks it. */
export function endpointOf(port: MessagePort | Worker): Endpoint {
  return nodeEndpoint(port);
}
