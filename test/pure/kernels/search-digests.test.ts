import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { kernelModule } from './load.ts';
import { searchDigests } from './search-digests.ts';

it('the search kernels compute the pinned digests', async () => {
  const golden = await readFile(new URL('../golden/cma-es/digests.json', import.meta.url), 'utf8');
  expect(searchDigests(await kernelModule())).toEqual(JSON.parse(golden));
});
