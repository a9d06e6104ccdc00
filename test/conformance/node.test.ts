import { describe, expect, it } from 'vitest';
import { kernels } from './cases/index.ts';
import { allDigests } from './program/conform.ts';
import { kernelModule, pinnedDigests } from './pinned.ts';

const module = await kernelModule();
const pinned = await pinnedDigests();

describe('Node', () => {
  it.each(Object.keys(kernels))('computes the pinned digests of %s', async (kernel) => {
    expect((await allDigests(module, [kernel]))[kernel]).toEqual(pinned[kernel]);
  });

  it('has a case for each kernel that is pinned', () => {
    expect(Object.keys(pinned).sort()).toEqual(Object.keys(kernels).sort());
  });
});
