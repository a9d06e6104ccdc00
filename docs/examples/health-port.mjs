// tabgrid worker --component docs/examples/health-port.mjs
//
// GET /healthz on HEALTH_PORT (8080) answers 200 while this worker is connected or finishes its last tasks, else 503: for a supervisor,
// a container's health check or a load balancer. The body is what `tabgrid inspect stats` shows.
import { createServer } from 'node:http';
import process from 'node:process';

const healthyPhases = new Set(['working', 'draining']);

/** @type {import('../../node-worker/index.ts').Component} */
export const component = {
  name: 'health-port',
  requires: ['session'],
  async start(worker) {
    const server = createServer((request, response) => {
      const { stats } = worker;
      const isHealthy = stats !== null && healthyPhases.has(stats.phase);
      const status = request.url === '/healthz' ? (isHealthy ? 200 : 503) : 404;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(status === 404 ? { status: 'not found' } : stats));
    });
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(Number(process.env.HEALTH_PORT ?? 8080), '127.0.0.1', resolve);
    });
    worker.log(`Health at http://127.0.0.1:${server.address().port}/healthz`);
    return {
      stop: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
};
