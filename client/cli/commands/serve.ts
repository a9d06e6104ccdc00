import { InvalidArgumentError, Option, type Command } from 'commander';
import { serveDefaults } from '../config.ts';
import { withJson } from '../lib/connection.ts';
import { UsageError } from '../lib/errors.ts';
import { createOutput } from '../lib/output.ts';
import { untilInterrupted } from '../lib/signals.ts';
import { startServe, type ServeOptions } from '../serve/serve.ts';

/** The options of commands that start an edge. */
export interface ServeFlags {
  port: number;
  host: string;
  state: string;
  tlsCert?: string;
  tlsKey?: string;
  json?: boolean;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('Expected a port from 0 to 65535.');
  return port;
}

export function withServeOptions(command: Command): Command {
  return withJson(command)
    .addOption(
      new Option('--port <n>', 'listen on this port; 0 takes any free one')
        .argParser(parsePort)
        .default(serveDefaults.port),
    )
    .addOption(
      new Option('--host <address>', 'listen on this address; 0.0.0.0 lets the local network in').default(
        serveDefaults.host,
      ),
    )
    .addOption(new Option('--state <dir>', 'keep everything in this directory').default(serveDefaults.stateDir))
    .addOption(
      new Option('--tls-cert <file>', 'certificate chain (PEM): pages from other machines need https for WebGPU'),
    )
    .addOption(new Option('--tls-key <file>', 'its private key (PEM)'));
}

export function serveOptions(flags: ServeFlags, onNotice: (message: string) => void): ServeOptions {
  const { port, host, state, tlsCert, tlsKey } = flags;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new UsageError('--tls-cert and --tls-key go together');
  const tls = tlsCert === undefined || tlsKey === undefined ? undefined : { certificate: tlsCert, key: tlsKey };
  return { port, host, state, tls, environment: process.env, onNotice };
}

export function addServe(program: Command): void {
  withServeOptions(program.command('serve'))
    .summary('run the edge on this machine')
    .description(
      `Runs the edge on this machine: the code that is deployed, its state on disk, no account.

It writes an admin token for this machine into <state>/token, and starts the edge process again should it die.
Ctrl-C stops it; whatever was accepted is on disk.

From the environment it takes TABGRID_SECRET (signs tokens; made and kept in <state>/secret where it is not set), TABGRID_ORIGINS
(origins whose pages may call the API) and TABGRID_CONFIG (JSON that overrides defaults, such as {"leaseMs": 60000}).`,
    )
    .addHelpText(
      'after',
      `
Examples:
  tabgrid serve
  tabgrid serve --port 0 --state /var/lib/tabgrid --json
  tabgrid serve --host 0.0.0.0 --tls-cert lab.pem --tls-key lab.key`,
    )
    .action(async (flags: ServeFlags) => {
      const output = createOutput(flags.json);
      const stopped = untilInterrupted();
      const served = await startServe(serveOptions(flags, (message) => output.note(`tabgrid: ${message}`)));
      output.result(
        { url: served.url, state: served.state.path, token_path: served.state.token, pid: process.pid },
        () => `Tabgrid serves at ${served.url}

  state      ${served.state.path}
  token      ${served.state.token}
  log        ${served.state.logs}
  page       ${served.url}/
  reference  ${served.url}/docs

Ctrl-C stops it.`,
      );
      await stopped;
      output.note('Stopping.');
      await served.stop();
    });
}
