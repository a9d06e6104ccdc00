import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'undici';
import type { Built } from '../../client/cli/serve/manifest.ts';
import { startServe } from '../../client/cli/serve/serve.ts';
import { Grid } from '../../client/sdk/index.ts';

const dist = new URL('../../dist/', import.meta.url);

/** What the build has made. */
export const product: Built = {
  edge: fileURLToPath(new URL('edge', dist)),
  pages: fileURLToPath(new URL('pages', dist)),
  node: fileURLToPath(new URL('node', dist)),
};

/** An edge of the benchmark’s own, in a workerd of its own, its state on disk. */
export interface Edge {
  readonly url: string;
  readonly token: string;
  readonly grid: Grid;
  /** The same by requests alone. */
  readonly httpGrid: Grid;
  /** The process id of workerd. */
  pid(): number;
  stop(): Promise<void>;
}

/**
 * What `tabgrid serve` starts, with tasks left to workers that the stateless Worker would otherwise compute itself: peers have no such thing.
 * @param config further options of the edge, as in `TABGRID_CONFIG`
 */
export async function startEdge(config: object = {}, built: Built = product): Promise<Edge> {
  const state = await mkdtemp(join(tmpdir(), 'tabgrid-bench-'));
  const remove = (): Promise<void> => rm(state, { recursive: true, force: true });
  const served = await startServe({
    port: 0,
    host: '127.0.0.1',
    state,
    environment: { TABGRID_CONFIG: JSON.stringify({ edgeConcurrency: 0, ...config }) },
    onNotice: (message) => console.error(`edge: ${message}`),
    built,
  }).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  const { url, token } = served;
  return {
    url,
    token,
    grid: new Grid({ url, token, WebSocket }),
    httpGrid: new Grid({ url, token }),
    pid: () => served.edgePid() ?? 0,
    stop: async () => {
      await served.stop();
      await remove();
    },
  };
}
