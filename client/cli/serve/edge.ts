import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serveDefaults } from '../config.ts';
import { identityOf } from '../lib/process-identity.ts';
import { edgeLogPath, openLog } from './edge-log.ts';
import type { StateLock } from './lock.ts';
import { readManifest, type Built } from './manifest.ts';
import { untilHealthy } from './probe.ts';
import type { StateDir } from './state-dir.ts';
import { Supervisor } from '../lib/supervisor.ts';
import { bracketed, workerdConfig } from './workerd-config.ts';
import { spawnWorkerd, type WorkerdProcess } from './workerd-process.ts';

export interface EdgeOptions {
  readonly built: Built;
  readonly state: StateDir;
  readonly lock: StateLock;
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly certificate: string; readonly key: string } | null;
  /** What the edge may know of the environment; each becomes a binding. */
  readonly variables: Readonly<Record<string, string>>;
  readonly onNotice: (message: string) => void;
}

/** The deployed bundle in a workerd that is kept running. */
export function superviseEdge(options: EdgeOptions): Supervisor<WorkerdProcess> {
  return new Supervisor({
    name: 'edge',
    spawn: () => spawnEdge(options),
    ready: async (process) => {
      await process.listening;
      await untilAnswering(process, options);
    },
    onProcess: async (pid) => options.lock.setEdge(pid === null ? null : ((await identityOf(pid)) ?? null)),
    onNotice: options.onNotice,
  });
}

/** The configuration is written anew each time: a build since the last start may have renamed modules. */
async function spawnEdge(options: EdgeOptions): Promise<WorkerdProcess> {
  const { built, state, host, port, tls } = options;
  const config = workerdConfig({
    manifest: await readManifest(built.edge),
    edge: built.edge,
    pages: built.pages,
    assetsWorker: join(built.node, 'assets.js'),
    objects: state.objects,
    blobSocket: state.blobSocket,
    variables: Object.keys(options.variables),
    host,
    port,
    tls,
    configPath: state.workerdConfig,
  });
  await writeFile(state.workerdConfig, config, { mode: 0o600 });
  const log = await openLog(edgeLogPath(state));
  try {
    return spawnWorkerd(state.workerdConfig, log.fd, options.variables);
  } finally {
    await log.close();
  }
}

async function untilAnswering(process: WorkerdProcess, { tls, host, port }: EdgeOptions): Promise<void> {
  const died = new AbortController();
  void process.ended.then((reason) => died.abort(new Error(`it ended before it answered: ${reason}`)));
  await untilHealthy(
    `${tls === null ? 'http' : 'https'}://${bracketed(reachable(host))}:${port}/healthz`,
    AbortSignal.any([died.signal, AbortSignal.timeout(serveDefaults.startTimeoutMs)]),
  );
}

/** An address to connect to, for one to listen on. */
export function reachable(host: string): string {
  return host === '0.0.0.0' || host === '*' ? '127.0.0.1' : host === '::' ? '::1' : host;
}
