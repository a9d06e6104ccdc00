import type { Command } from 'commander';
import { claimsSchema, maxTokenTtlSeconds, minSecretChars, scopes, type Scope } from '#protocol';
import { clientDefaults, serveDefaults } from '../config.ts';
import { withJson } from '../lib/connection.ts';
import { parseDuration } from '../lib/duration.ts';
import { UsageError } from '../lib/errors.ts';
import { createOutput } from '../lib/output.ts';
import { mintToken } from '../serve/access-tokens.ts';
import { readOrUndefined, stateDir } from '../serve/state-dir.ts';

interface TokenFlags {
  scope: string[];
  ttl: string;
  subject: string;
  state: string;
  json?: boolean;
}

export function addToken(program: Command): void {
  withJson(program.command('token'))
    .summary('mint a token')
    .description(
      `Signs a token with the deployment’s secret: TABGRID_SECRET where it is set, else that of the state directory.

Scopes: submit (tasks, campaigns and files), read (one’s own), work (a trusted worker), volunteer (a stranger’s tab), admin.`,
    )
    .requiredOption('--scope <scope...>', `what it allows, one or more of: ${scopes.join(', ')}`)
    .option('--ttl <duration>', 'how long it counts, such as 12h or 30d', clientDefaults.tokenTtl)
    .option('--subject <name>', 'who bears it; owns what is submitted with it', 'admin')
    .option('--state <dir>', 'the state directory of a grid on this machine', serveDefaults.stateDir)
    .addHelpText(
      'after',
      `
Examples:
  tabgrid token --scope work --ttl 7d
  TABGRID_SECRET=… tabgrid token --scope submit read --subject anna`,
    )
    .action(async (flags: TokenFlags) => {
      const scope = flags.scope.flatMap((text) => text.split(',')).map(parseScope);
      const ttlSeconds = parseTtl(flags.ttl);
      if (!claimsSchema.shape.sub.safeParse(flags.subject).success) {
        throw new UsageError('--subject: expected 1 to 128 characters');
      }
      const token = mintToken(await secretOf(flags.state), flags.subject, scope, ttlSeconds);
      const expires_at = new Date(Date.now() + ttlSeconds * 1000).toISOString();
      createOutput(flags.json).result({ token, sub: flags.subject, scope, expires_at }, () => token);
    });
}

/** A token that lives longer would be refused wherever it is shown. */
function parseTtl(text: string): number {
  const seconds = Math.ceil(parseDuration('--ttl', text));
  if (seconds <= maxTokenTtlSeconds) return seconds;
  throw new UsageError(`--ttl: expected at most ${maxTokenTtlSeconds / 86_400}d, got ${JSON.stringify(text)}`);
}

function parseScope(text: string): Scope {
  const scope = scopes.find((known) => known === text.trim());
  if (scope === undefined)
    throw new UsageError(`--scope: expected one of ${scopes.join(', ')}, got ${JSON.stringify(text)}`);
  return scope;
}

async function secretOf(state: string): Promise<string> {
  const secret = process.env.TABGRID_SECRET ?? (await readOrUndefined(stateDir(state).secret));
  if (secret === undefined || secret.length < minSecretChars) {
    throw new UsageError(
      `no secret: set TABGRID_SECRET (${minSecretChars} characters or more), or pass the --state of a grid on this machine`,
    );
  }
  return secret;
}
