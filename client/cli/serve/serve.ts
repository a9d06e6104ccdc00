import { access } from 'node:fs/promises';
import type { Server } from 'node:http';
import { resolve } from 'node:path';
import type { Scope } from '#protocol';
import { CommandError, UsageError } from '../lib/errors.ts';
import type { Supervisor } from '../lib/supervisor.ts';
import type { WorkerdProcess } from './workerd-process.ts';
import { adminToken, mintToken } from './access-tokens.ts';
import { startBlobService } from './blob-service.ts';
import { edgeLogPath, keepLogsSmall } from './edge-log.ts';
import { reachable, superviseEdge } from './edge.ts';
import { lockState } from './lock.ts';
import { built, readManifest, type Built } from './manifest.ts';
import { reservePort } from './probe.ts';
import { createStateDir, loadSecret, type StateDir } from './state-dir.ts';
import { bracketed } from './workerd-config.ts';

export interface ServeOptions {
  /** 0 for any that is free. */
  readonly port: number;
  readonly host: string;
  /** The state directory; made where it is missing. */
  readonly state: string;
  /** PEM files. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
  /** `TABGRID_SECRET`, `TABGRID_ORIGINS` and `TABGRID_CONFIG` are taken from it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Told what an operator should know: deaths and returns of the edge process. */
  readonly onNotice: (message: string) => void;
  /** Another place of the built parts than that of this file. */
  readonly built?: Built;
}

/** A running edge on one’s own machine. */
export interface Served {
  /** Where it answers, seen from this machine. */
  readonly url: string;
  /** An admin token, also in `<state>/token`. */
  readonly token: string;
  readonly state: StateDir;
  /** The edge process, or null while it is being started again. */
  edgePid(): number | null;
  /** Signs a further token with this deployment’s secret. */
  mint(subject: string, scope: readonly Scope[], ttlSeconds: number): string;
  /** Ends the edge process and gives the directory free. */
  stop(): Promise<void>;
}

/**
 * Starts the edge and keeps it running: the file service in this process, the deployed bundle in a supervised workerd.
 * @throws CommandError when the port is taken, the directory is being served already, or workerd does not start.
 */
export async function startServe(options: ServeOptions): Promise<Served> {
  const parts = options.built ?? built;
  await readManifest(parts.edge);
  const tls = await checkedTls(options.tls);
  const state = await createStateDir(options.state);
  const port = await reservePort(options.host, options.port);
  const url = `${tls === null ? 'http' : 'https'}://${localName(options.host)}:${port}`;
  const lock = await lockState(state, url);
  try {
    const secret = await loadSecret(state, options.environment);
    const token = await adminToken(state, secret);
    const blobs = await startBlobService(state, state.blobSocket);
    const supervisor = superviseEdge({
      built: parts,
      state,
      lock,
      host: options.host,
      port,
      tls,
      variables: { TABGRID_SECRET: secret, ...passedOn(options.environment) },
      onNotice: options.onNotice,
    });
    await startOrExplain(supervisor, blobs, state);
    const leaveLogs = keepLogsSmall(state);
    return {
      url,
      token,
      state,
      edgePid: () => supervisor.pid,
      mint: (subject, scope, ttlSeconds) => mintToken(secret, subject, scope, ttlSeconds),
      stop: async () => {
        leaveLogs();
        await supervisor.stop();
        await closeServer(blobs);
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** What an operator sets for the edge, beside its secret. */
function passedOn(environment: NodeJS.ProcessEnv): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const name of ['TABGRID_ORIGINS', 'TABGRID_CONFIG']) {
    const value = environment[name];
    if (value !== undefined && value !== '') variables[name] = value;
  }
  return variables;
}

async function startOrExplain(supervisor: Supervisor<WorkerdProcess>, blobs: Server, state: StateDir): Promise<void> {
  try {
    await supervisor.start();
  } catch (error) {
    await closeServer(blobs);
    if (error instanceof CommandError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new CommandError(`the edge did not start: ${message}. Its log is ${edgeLogPath(state)}`);
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}

async function checkedTls(tls: ServeOptions['tls']): Promise<{ certificate: string; key: string } | null> {
  if (tls === undefined) return null;
  const files = { certificate: resolve(tls.certificate), key: resolve(tls.key) };
  for (const file of Object.values(files)) {
    await access(file).catch(() => {
      throw new UsageError(`cannot read ${file}`);
    });
  }
  return files;
}

/** What a person on this machine types for it. */
function localName(host: string): string {
  const address = reachable(host);
  return address === '127.0.0.1' || address === '::1' ? 'localhost' : bracketed(address);
}
