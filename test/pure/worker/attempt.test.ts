import { afterEach, describe, expect, it, vi } from 'vitest';
import type { TabgridError } from '#protocol';
import { Attempt, type TaskContext } from '../../../client/worker/index.ts';
import { kernelModule } from '../kernels/load.ts';
import { assignment, digest, FakeClock } from './fakes.ts';

const kernels = await kernelModule();
const softMs = 500;

/** An attempt whose body is `look`; what it gives is in `seen`. */
function attemptOf(look: (context: TaskContext) => unknown) {
  const clock = new FakeClock();
  const attempt = new Attempt(
    assignment(1, { soft_time_limit_ms: softMs }),
    {
      bodies: { ping: async (context) => (await look(context)) as never },
      kernels,
      kernelDigest: digest,
      workerName: 'lab',
      clock,
      pause: () => Promise.resolve(),
    },
    {
      files: { read: vi.fn(), records: vi.fn(), write: vi.fn() },
      onProgress: () => undefined,
      onSnapshot: () => undefined,
    },
  );
  return { attempt, clock };
}

const codeOf = ({ reason }: AbortSignal) => (reason as { code: string }).code;

describe('an attempt', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('makes neither signals nor timers for a body that does not look', async () => {
    const made: unknown[] = [];
    const Host = AbortController;
    vi.stubGlobal(
      'AbortController',
      class extends Host {
        constructor() {
          super();
          made.push(this);
        }
      },
    );
    const { attempt, clock } = attemptOf(async (context) => {
      await context.yield();
      return clock.pending;
    });
    expect(await attempt.run()).toMatchObject({ outcome: { type: 'success', result: 0 } });
    expect(made).toEqual([]);
    const looking = attemptOf(({ signal, softLimit }) => [signal.aborted, softLimit.aborted]);
    expect((await looking.attempt.run()).outcome).toEqual({ type: 'success', result: [false, false] });
    expect(made.length).toBe(2);
    expect(looking.clock.pending).toBe(0);
  });

  it('tells a body that looks late what has happened before', async () => {
    const { attempt, clock } = attemptOf(async (context) => {
      clock.advance(softMs);
      attempt.abort();
      const fault = await context.yield().catch((error: unknown) => (error as TabgridError).code);
      return [fault, codeOf(context.softLimit), codeOf(context.signal)];
    });
    const codes = ['revoked', 'soft_time_limit_exceeded', 'revoked'];
    expect((await attempt.run()).outcome).toEqual({ type: 'success', result: codes });
  });

  it('counts the soft time limit from its beginning, whenever a body looks, until it is over', async () => {
    let kept: AbortSignal | null = null;
    const { attempt, clock } = attemptOf((context) => {
      clock.advance(softMs - 100);
      kept = context.softLimit;
      clock.advance(99);
      const before = kept.aborted;
      clock.advance(1);
      return [before, kept.aborted];
    });
    expect((await attempt.run()).outcome).toEqual({ type: 'success', result: [false, true] });
    const ended = attemptOf((context) => void (kept = context.softLimit));
    await ended.attempt.run();
    ended.clock.advance(softMs);
    expect(kept).toMatchObject({ aborted: false });
  });

  it('gives the same signals each time, also to a copy of the context', async () => {
    const { attempt } = attemptOf((context) => {
      const { signal, softLimit } = context;
      const copy = { ...context };
      return [copy.signal === signal, copy.softLimit === softLimit, context.signal === signal, signal === softLimit];
    });
    expect((await attempt.run()).outcome).toEqual({ type: 'success', result: [true, true, true, false] });
  });
});
