import { afterEach, describe, expect, it, vi } from 'vitest';

const turns = '../../../client/worker/lib/turns.ts';
type Turns = { soon: (run: () => void) => () => void };

describe.each(['setImmediate', 'MessageChannel'])('what is done soon, by %s', (host) => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  it('is done in a later turn, in order, unless it is taken back', async () => {
    if (host === 'MessageChannel') vi.stubGlobal('setImmediate', undefined);
    const { soon } = (await import(turns)) as Turns;
    const done: string[] = [];
    soon(() => done.push('first'));
    soon(() => done.push('never'))();
    const last = new Promise<void>((resolve) => soon(resolve));
    await Promise.resolve();
    expect(done).toEqual([]);
    soon(() => done.push('later'));
    await last;
    expect(done).toEqual(['first']);
  });
});
