import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { setAside } from '../../client/cli/serve/edge-log.ts';
import { freshFolder } from './helpers/processes.ts';

describe('a log', () => {
  it('that has grown too large is set aside, and its writer goes on in an empty one', async () => {
    const path = join(await freshFolder(), 'edge.log');
    const writer = await open(path, 'a');
    await writer.write('old line\n');
    await setAside(path, 100);
    expect(await readFile(path, 'utf8')).toBe('old line\n');
    await setAside(path, 5);
    await writer.write('new line\n');
    await writer.close();
    expect(await readFile(path, 'utf8')).toBe('new line\n');
    expect(await readFile(path.replace('.log', '.1.log'), 'utf8')).toBe('old line\n');
  });

  it('that does not exist yet is none', async () => {
    const path = join(await freshFolder(), 'edge.log');
    await setAside(path, 0);
    await writeFile(path, '');
    await setAside(path, 0);
    expect(await readFile(path, 'utf8')).toBe('');
  });
});
