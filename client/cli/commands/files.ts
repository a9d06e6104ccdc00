import { constants, createWriteStream, openAsBlob } from 'node:fs';
import { access } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { FileView } from '#protocol';
import { connect, withConnection, type ConnectionOptions } from '../lib/connection.ts';
import { UsageError } from '../lib/errors.ts';
import { createOutput, table } from '../lib/output.ts';

export function addFiles(program: Command): void {
  const files = program.command('files').summary('store and fetch files').description('Data sets, models and results.');

  withConnection(files.command('put'))
    .summary('store a local file')
    .description('Stores a local file under a path of the grid, in the place of the one before.')
    .argument('<local>', 'a file of this machine')
    .argument('<path>', 'where it goes, such as /datasets/barrel.csv')
    .action(async (local: string, path: string, flags: ConnectionOptions) => {
      await access(local, constants.R_OK).catch(() => {
        throw new UsageError(`cannot read ${local}`);
      });
      const content = await openAsBlob(local);
      const view = await (await connect(flags)).files.put(path, content);
      createOutput(flags.json).result(view, () => `${view.path}  ${view.bytes} bytes  sha256 ${view.sha256}`);
    });

  withConnection(files.command('get'))
    .summary('fetch a file')
    .description('Writes a file of the grid to a local one, or to standard output.')
    .argument('<path>', 'such as /models/barrel.json')
    .argument('[local]', 'a file to write')
    .action(async (path: string, local: string | undefined, flags: ConnectionOptions) => {
      const response = await (await connect(flags)).files.get(path);
      const body = Readable.fromWeb(response.body ?? new Blob([]).stream());
      if (local === undefined) await pipeline(body, process.stdout, { end: false });
      else await pipeline(body, createWriteStream(local));
    });

  withConnection(files.command('list'))
    .summary('list files')
    .description('Lists files whose path begins with a prefix.')
    .argument('[prefix]', 'such as /datasets/', '/')
    .action(async (prefix: string, flags: ConnectionOptions) => {
      const found: FileView[] = [];
      for await (const file of (await connect(flags)).files.list(prefix)) found.push(file);
      createOutput(flags.json).result(found, () =>
        table(found, {
          path: (file) => file.path,
          bytes: (file) => file.bytes,
          stored: (file) => file.created_at,
          sha256: (file) => file.sha256.slice(0, 12),
        }),
      );
    });
}
