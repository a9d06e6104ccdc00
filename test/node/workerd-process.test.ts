import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { spawnWorkerd } from '../../client/cli/serve/workerd-process.ts';
import { freshFolder } from './helpers/processes.ts';

it('a workerd that ends before anybody waits for it is no unhandled rejection, and who waits later hears of it', async () => {
  const folder = await freshFolder();
  const log = await open(join(folder, 'log'), 'w');
  const workerd = spawnWorkerd(join(folder, 'there is none.capnp'), log.fd, {});
  await workerd.ended;
  await turn();
  await log.close();
  await expect(workerd.listening).rejects.toThrow('ended before it was ready');
});
