import { Option, type Command } from 'commander';
import { WebSocket } from 'undici';
import { Grid } from '../../sdk/index.ts';
import { clientDefaults, serveDefaults } from '../config.ts';
import { readOrUndefined, stateDir } from '../serve/state-dir.ts';
import { UsageError } from './errors.ts';

/** Somebody waits at a terminal: a grid that does not answer within seconds is told of. */
const interactiveRetries = 3;
/** Somebody waits for a result: it is worth waiting for a grid that comes back. */
export const patientRetries = 20;

/** The options of every command that talks to a grid. */
export interface ConnectionOptions {
  url: string;
  token?: string;
  state: string;
  json?: boolean;
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print results as JSON, one value a line');
}

export function withConnection(command: Command): Command {
  return addOptions(command, urlOption().default(clientDefaults.url), tokenOption());
}

/** The same for a command that talks to several grids: `--url` and `--token` may be repeated. */
export function withConnections(command: Command): Command {
  const url = urlOption().default([clientDefaults.url], JSON.stringify(clientDefaults.url));
  return addOptions(command, url.argParser(collect()), tokenOption().argParser(collect()));
}

function urlOption(): Option {
  return new Option('--url <url>', 'where the grid answers').env('TABGRID_URL');
}

function tokenOption(): Option {
  const description = 'default: the admin token that `serve` wrote into the state directory';
  return new Option('--token <token>', description).env('TABGRID_TOKEN');
}

function addOptions(command: Command, ...options: Option[]): Command {
  const state = new Option('--state <dir>', 'the state directory of a grid on this machine');
  for (const option of [...options, state.default(serveDefaults.stateDir)]) {
    command.addOption(option.helpGroup('Connection:'));
  }
  return withJson(command);
}

function collect(): (value: string) => string[] {
  const values: string[] = [];
  return (value) => {
    values.push(...value.split(','));
    return [...values];
  };
}

/** @throws UsageError where no token is at hand. */
async function tokenOf(options: Pick<ConnectionOptions, 'token' | 'state'>): Promise<string> {
  const token = options.token ?? (await readOrUndefined(stateDir(options.state).token));
  if (token === undefined || token === '') {
    throw new UsageError(
      `no token: pass --token, set TABGRID_TOKEN, or run it where \`tabgrid serve\` keeps its state (looked in ${stateDir(options.state).token})`,
    );
  }
  return token;
}

/** @param retries more than a few for a command that waits: it rides out a restart of the edge. */
export async function connect(options: ConnectionOptions, retries = interactiveRetries): Promise<Grid> {
  if (!/^https?:\/\//.test(options.url) || !URL.canParse(options.url)) {
    throw new UsageError(
      `--url: expected an address such as ${clientDefaults.url}, got ${JSON.stringify(options.url)}`,
    );
  }
  return openGrid(options.url, await tokenOf(options), retries);
}

/** Node 20 has no WebSocket of its own; undici’s does what a browser’s does. */
export function openGrid(url: string, token: string, retries: number): Grid {
  return new Grid({ url, token, WebSocket, retries });
}

/**
 * Each grid with its token: one for all, or one for each in the same order.
 * @throws UsageError
 */
export async function edgesOf(options: {
  url: readonly string[];
  token?: readonly string[];
  state: string;
}): Promise<{ url: string; token: string }[]> {
  const { url: urls, token: tokens = [], state } = options;
  if (tokens.length > 1 && tokens.length !== urls.length) {
    throw new UsageError(`--token: expected one, or one for each --url (${urls.length}), got ${tokens.length}`);
  }
  const [first] = tokens;
  const token = await tokenOf({ state, ...(first === undefined ? {} : { token: first }) });
  return urls.map((url, index) => ({ url, token: tokens[index] ?? token }));
}
