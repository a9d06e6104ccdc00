import { WebSocket } from 'undici';
import { gpuQueue, standardQueues } from '#catalog';
import { sessionDefaults, WebSocketTransport, WorkerSession, type WebSocketLike } from '../../client/worker/index.ts';
import { component } from '../components/component.ts';
import { describeHost } from '../identity.ts';

/** About what a thread computes while the next ones are on their way to it. */
const briefTasksAhead = 31;

/** The connection to the edge: from here on tasks come in. */
export const session = component({
  name: 'session',
  requires: ['kernels', 'bodies', 'evaluators', 'gpu', 'executor'],
  start: (worker, { kernels, bodies, evaluators, gpu, executor }) => {
    const { config } = worker;
    const session = new WorkerSession(
      {
        ...sessionDefaults,
        workerId: worker.workerId,
        name: config.name,
        queues: config.queues ?? standardQueues.filter((queue) => queue !== gpuQueue || gpu !== null),
        concurrency: config.concurrency,
        prefetch: config.prefetch,
        briefTasksAhead,
        rateLimit: config.rateLimit,
        snapshotEveryMs: config.snapshotEveryMs,
        capabilities: {
          runtime: 'node',
          cores: config.concurrency,
          gpu: gpu !== null,
          tasks: [...new Set([...bodies.tasks, ...executor.addedTasks])],
          evaluators: evaluators.names,
          description: describeHost(gpu?.adapter ?? null),
        },
        kernelDigest: kernels.digest,
        edges: config.edges.length,
      },
      {
        transports: config.edges.map(
          ({ url, token }) => new WebSocketTransport({ url, token: () => token, open: openSocket, fetch }),
        ),
        executor,
        clock: worker.clock,
        onEvent: (event) => worker.tell(event),
      },
    );
    worker.session = session;
    session.start();
    return {
      value: session,
      takeNoMore: () => void session.drain(worker.drainReason ?? 'leaving'),
      stop: () => session.leave('leaving'),
    };
  },
});

function openSocket(url: string, protocols: string[]): WebSocketLike {
  return new WebSocket(url, protocols);
}
