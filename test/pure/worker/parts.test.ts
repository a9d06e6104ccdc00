import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelInputError } from '#kernels';
import { parseRate, TabgridError, type Progress } from '#protocol';
import { ProgressThrottle } from '../../../client/worker/execution/progress.ts';
import { failureOf, successOf } from '../../../client/worker/execution/failure.ts';
import { WebSocketTransport, type WebSocketLike } from '../../../client/worker/index.ts';
import { Outbox } from '../../../client/worker/session/outbox.ts';
import { Pace } from '../../../client/worker/session/pace.ts';
import { RateLimiter } from '../../../client/worker/session/rate.ts';
import { FakeClock, taskId } from './fakes.ts';

describe('what a body throws', () => {
  it.each([
    [new TabgridError('file_not_found', 'gone'), 'file_not_found', 'gone', false],
    [new TabgridError('unavailable', 'away'), 'unavailable', 'away', true],
    [new KernelInputError('epochs', 'an integer', -1), 'invalid_input', 'epochs: expected an integer, got -1.', false],
    [new RangeError('oops'), 'task_failed', 'RangeError: oops', true],
    ['text', 'task_failed', 'text', true],
  ] as const)('%o becomes %s', (error, type, message, retryable) => {
    expect(failureOf(error)).toMatchObject({ type: 'failure', error: { type, message }, retryable });
  });

  it('keeps where it was thrown, and long messages short', () => {
    const failure = failureOf(new Error('x'.repeat(50_000)));
    expect(failure.error.traceback).toContain('Error: x');
    expect(failure.error.message.length).toBe(10_000);
    expect(failure.error.traceback!.length).toBeLessThanOrEqual(20_000);
  });
});

describe('a result', () => {
  it('is told as it will travel', () => {
    expect(successOf({ a: NaN, b: Infinity, c: undefined, d: [1.5] })).toEqual({
      type: 'success',
      result: { a: null, b: null, d: [1.5] },
    });
  });

  it('that is missing is a failure', () => {
    expect(successOf(undefined)).toMatchObject({ type: 'failure', error: { type: 'task_failed' } });
  });
});

describe('progress', () => {
  it('is told at once, then at most once per interval, and the newest is never left out', () => {
    const clock = new FakeClock();
    const told: Progress[] = [];
    const throttle = new ProgressThrottle(clock, 250, (progress) => told.push(progress));
    for (let n = 1; n <= 10; n++) throttle.report({ fraction: n / 10 });
    expect(told).toEqual([{ fraction: 0.1 }]);
    clock.advance(250);
    expect(told).toEqual([{ fraction: 0.1 }, { fraction: 1 }]);
    clock.advance(1000);
    expect(told.length).toBe(2);
    throttle.report({ fraction: 0.5 });
    throttle.report({ fraction: 0.6 });
    throttle.stop();
    clock.advance(1000);
    expect(told.length).toBe(3);
  });

  it('is made to fit', () => {
    const told: Progress[] = [];
    const throttle = () => new ProgressThrottle(new FakeClock(), 1, (progress) => told.push(progress));
    throttle().report({ fraction: 7, message: 'x'.repeat(2000), loss: NaN });
    throttle().report({ fraction: NaN });
    throttle().report({ fraction: -1, huge: 'x'.repeat(20_000) });
    expect(told).toEqual([{ fraction: 1, message: 'x'.repeat(1000), loss: null }, {}, { fraction: 0 }]);
  });
});

describe('the pace of a task type', () => {
  const measure = (pace: Pace, runtimesMs: number[]) => runtimesMs.forEach((ms) => pace.measured('ping', ms));
  const quick = (runs: number) => Array<number>(runs).fill(0.1);

  it('is brief once enough quick runs were seen', () => {
    const pace = new Pace();
    measure(pace, quick(7));
    expect(pace.isBrief('ping')).toBe(false);
    measure(pace, quick(1));
    expect(pace.isBrief('ping')).toBe(true);
    expect(pace.isBrief('train_surrogate')).toBe(false);
  });

  it('is none of arrays, of which one tells nothing of the next', () => {
    const pace = new Pace();
    for (const ms of quick(100)) pace.measured('starmap', ms);
    expect(pace.isBrief('starmap')).toBe(false);
  });

  it('is brief no more after one slow run, for as long as that weighs', () => {
    const pace = new Pace();
    measure(pace, [...quick(100), 500]);
    expect(pace.isBrief('ping')).toBe(false);
    measure(pace, quick(30));
    expect(pace.isBrief('ping')).toBe(false);
    measure(pace, quick(20));
    expect(pace.isBrief('ping')).toBe(true);
  });
});

describe('a rate', () => {
  it.each([
    ['10/s', 10, 1000],
    ['0.5/m', 0.5, 60_000],
    ['1000/h', 1000, 3_600_000],
  ])('%s is read', (text, count, windowMs) => {
    expect(parseRate(text)).toEqual({ count, windowMs });
  });

  it.each(['', '10', '10/d', '-1/s', '0/s', '1e3/s', 'x/s'])('%o is refused', (text) => {
    expect(() => parseRate(text)).toThrow(/rate_limit: expected a rate/);
  });

  it('holds over any window, but for a tenth of a second’s burst', () => {
    const arbitrary = fc.tuple(
      fc.integer({ min: 1, max: 500 }),
      fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 }),
    );
    fc.assert(
      fc.property(arbitrary, ([perSecond, gapsMs]) => {
        const limiter = new RateLimiter();
        limiter.set(parseRate(`${perSecond}/s`));
        let nowMs = 5_000_000;
        let starts = 0;
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          while (limiter.take(nowMs) === 0) starts++;
        }
        const allowed = ((nowMs - 5_000_000) / 1000) * perSecond + Math.max(1, perSecond / 10);
        expect(starts).toBeLessThanOrEqual(allowed + 1e-6);
      }),
      { seed: 3 },
    );
  });

  it('says how long to wait, exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), (perMinute) => {
        const limiter = new RateLimiter();
        limiter.set(parseRate(`${perMinute}/m`));
        let nowMs = 1_000_000;
        while (limiter.take(nowMs) === 0);
        nowMs += limiter.take(nowMs);
        expect(limiter.take(nowMs)).toBe(0);
      }),
      { seed: 4 },
    );
  });
});

describe('the outbox', () => {
  it('fills frames up to their limits of items and bytes', () => {
    const outbox = new Outbox();
    for (let n = 0; n < 450; n++) outbox.put({ task_id: taskId(n), attempt: 1 }, { type: 'success', result: n }, 1);
    expect(outbox.takeUnsent(0).map((batch) => batch.length)).toEqual([200, 200, 50]);
    expect(outbox.takeUnsent(0)).toEqual([]);

    const large = new Outbox();
    const result = 'ä'.repeat(500_000);
    for (let n = 0; n < 10; n++) large.put({ task_id: taskId(n), attempt: 1 }, { type: 'success', result }, 1);
    expect(large.takeUnsent(0).map((batch) => batch.length)).toEqual([4, 4, 2]);
  });

  it('gives again what is to be repeated, once, and nothing that was answered', () => {
    const outbox = new Outbox();
    const ref = (n: number) => ({ task_id: taskId(n), attempt: 1 });
    for (let n = 0; n < 3; n++) outbox.put(ref(n), { type: 'success', result: n }, 1);
    outbox.takeUnsent(100);
    outbox.put(ref(3), { type: 'success', result: 3 }, 1);
    outbox.forget(ref(0));
    outbox.repeatSentBefore(99);
    expect(outbox.unsentCount).toBe(1);
    outbox.repeatSentBefore(100);
    outbox.reconnected();
    outbox.forget(ref(1));
    expect(
      outbox
        .takeUnsent(200)
        .flat()
        .map(({ task_id: id }) => id),
    ).toEqual([taskId(3), taskId(2)]);
    expect([outbox.size, outbox.unsentCount]).toEqual([2, 0]);
  });
});

describe('a WebSocket', () => {
  class FakeWebSocket implements WebSocketLike {
    readyState = 0;
    onopen: ((event: never) => void) | null = null;
    onmessage: ((event: never) => void) | null = null;
    onclose: ((event: never) => void) | null = null;
    onerror: ((event: never) => void) | null = null;
    readonly sent: string[] = [];
    closed: [number | undefined, string | undefined] | null = null;
    send(text: string): void {
      this.sent.push(text);
    }
    close(code?: number, reason?: string): void {
      this.closed = [code, reason];
    }
  }

  function connect(answer: Response | Error = new Response(null, { status: 200 })) {
    const socket = new FakeWebSocket();
    const heard: unknown[] = [];
    const asked: { url: string; protocols: string[] }[] = [];
    const transport = new WebSocketTransport({
      url: 'https://grid.example',
      token: () => 'abc',
      open: (url, protocols) => {
        asked.push({ url, protocols });
        return socket;
      },
      fetch: () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)),
    });
    let onClosed: (error: TabgridError | null) => void = () => undefined;
    const closed = new Promise<TabgridError | null>((resolve) => (onClosed = resolve));
    const connection = transport.connect(
      {
        opened: () => heard.push('opened'),
        message: (text) => heard.push(text),
        closed: onClosed,
      },
      0,
    );
    const fire = (name: 'onopen' | 'onmessage' | 'onclose', event: object = {}) => socket[name]?.(event as never);
    return { socket, heard, asked, connection, closed, fire };
  }

  const refusal = (code: string) => Response.json({ error: { code, message: 'no' } }, { status: 400 });

  it('offers the version and the token as subprotocols, and nothing of it in the URL', () => {
    expect(connect().asked).toEqual([{ url: 'wss://grid.example/v1/worker', protocols: ['tabgrid.v1', 'bearer.abc'] }]);
  });

  it('carries text both ways while it is open', () => {
    const { socket, heard, connection, fire } = connect();
    connection.send('too early');
    socket.readyState = 1;
    fire('onopen');
    fire('onmessage', { data: 'hello' });
    fire('onmessage', { data: new ArrayBuffer(1) });
    connection.send('now');
    expect(heard).toEqual(['opened', 'hello']);
    expect(socket.sent).toEqual(['now']);
  });

  it('says nothing more after it was closed from here', () => {
    const { socket, heard, connection, fire } = connect();
    connection.close('leaving');
    fire('onopen');
    fire('onmessage', { data: 'late' });
    expect(heard).toEqual([]);
    expect(socket.closed).toEqual([1000, 'leaving']);
  });

  it('asks why a handshake was refused', async () => {
    const { closed, fire } = connect(refusal('token_expired'));
    fire('onclose');
    expect((await closed)?.code).toBe('token_expired');
  });

  it.each([
    ['the route takes sockets', refusal('upgrade_required')],
    ['the edge is not there', new TypeError('fetch failed')],
    ['a proxy answers', new Response('bad gateway', { status: 502 })],
  ])('is simply lost when %s', async (_, answer) => {
    const { closed, fire } = connect(answer);
    fire('onclose');
    expect(await closed).toBe(null);
  });

  it('is simply lost after it was open', async () => {
    const { closed, fire } = connect(refusal('unauthorized'));
    fire('onopen');
    fire('onclose');
    expect(await closed).toBe(null);
  });
});
