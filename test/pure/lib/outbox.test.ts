import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Json } from '#protocol';
import {
  addressKey,
  nextInOrder,
  Outbox,
  parseAddress,
  receive,
  type Envelope,
  type ObjectAddress,
} from '../../../edge/lib/outbox.ts';
import { MemoryOutboxStore, StillClock } from './fakes.ts';

const sender: ObjectAddress = { object: 'campaign', name: 'c-1' };
const target: ObjectAddress = { object: 'broker', name: 'broker-0' };

beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

/** What the way between two objects does to one call. */
type Fate = 'delivered' | 'lost' | 'answer lost' | 'delivered twice' | 'an old call again' | 'shuffled';

describe('the outbox', () => {
  it('applies each message once and in order, whatever the way does to calls', async () => {
    const fates = fc.constantFrom<Fate>(
      'delivered',
      'lost',
      'answer lost',
      'delivered twice',
      'an old call again',
      'shuffled',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fates, { maxLength: 4 }), { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        async (rounds, restarts) => {
          const clock = new StillClock();
          const sending = new MemoryOutboxStore();
          const receiving = new MemoryOutboxStore();
          const applied: Json[] = [];
          const calls: Envelope[][] = [];
          let fate: Fate[] = [];
          const apply = (messages: readonly Envelope[]): number =>
            receive(receiving, sender, messages, (body) => applied.push(body));
          const carry = async (_: ObjectAddress, messages: Envelope[]): Promise<number> => {
            calls.push(messages);
            switch (fate.shift() ?? 'delivered') {
              case 'lost':
                throw new Error('lost');
              case 'answer lost':
                apply(messages);
                throw new Error('answer lost');
              case 'delivered twice':
                apply(messages);
                return apply(messages);
              case 'an old call again':
                apply(calls[0] ?? []);
                return apply(messages);
              case 'shuffled':
                return apply([...messages].reverse());
              case 'delivered':
                return apply(messages);
            }
          };
          const build = () =>
            new Outbox<Json>({ store: sending, clock, carry, wakeBy: () => undefined, arm: () => undefined });
          let outbox = build();
          let sent = 0;
          for (const round of rounds) {
            fate = [...round];
            for (let n = 0; n < 1 + round.length; n++) outbox.send(target, sent++);
            await outbox.flush();
            if (restarts) outbox = build();
          }
          fate = [];
          await outbox.flush();
          expect(applied).toEqual(Array.from({ length: sent }, (_, index) => index));
          expect(sending.targets()).toEqual([]);
        },
      ),
    );
  });

  it('is woken for what could not be delivered, later each time', async () => {
    const clock = new StillClock();
    const due: number[] = [];
    const armed: number[] = [];
    const outbox = new Outbox<Json>({
      store: new MemoryOutboxStore(),
      clock,
      carry: () => Promise.reject(new Error('away')),
      wakeBy: (dueMs) => due.push(dueMs - clock.now()),
      arm: () => armed.push(due.length),
    });
    outbox.send(target, 'm');
    for (let n = 0; n < 8; n++) await outbox.flush();
    expect(due).toEqual([500, 250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    // The first was the sender’s, whose transaction ends with it.
    expect(armed).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('joins what is sent during a delivery to it, and carries one call to a target at a time', async () => {
    const store = new MemoryOutboxStore();
    const calls: number[][] = [];
    const answers: (() => void)[] = [];
    const outbox = new Outbox<Json>({
      store,
      clock: new StillClock(),
      carry: (_, messages) => {
        const seqs = messages.map(({ seq }) => seq);
        calls.push(seqs);
        return new Promise((resolve) => answers.push(() => resolve(Math.max(...seqs))));
      },
      wakeBy: () => undefined,
      arm: () => undefined,
    });
    outbox.send(target, 1);
    const first = outbox.flush();
    outbox.send(target, 2);
    outbox.send(target, 3);
    const second = outbox.flush();
    answers.shift()?.();
    while (answers.length === 0) await Promise.resolve();
    answers.shift()?.();
    await Promise.all([first, second]);
    expect(calls).toEqual([[1], [2, 3]]);
  });

  it('numbers on when it is empty', async () => {
    const store = new MemoryOutboxStore();
    const seqs: number[] = [];
    const carry = async (_: ObjectAddress, messages: Envelope[]): Promise<number> => {
      seqs.push(...messages.map(({ seq }) => seq));
      return messages.at(-1)?.seq ?? 0;
    };
    const outbox = new Outbox<Json>({
      store,
      clock: new StillClock(),
      carry,
      wakeBy: () => undefined,
      arm: () => undefined,
    });
    for (let n = 0; n < 3; n++) {
      outbox.send(target, n);
      await outbox.flush();
    }
    expect(seqs).toEqual([1, 2, 3]);
  });
});

describe('the receiver', () => {
  it('takes only what is next, without holes', () => {
    const message = (seq: number): Envelope => ({ seq, body: null });
    const seqs = (last: number, ...given: number[]) => nextInOrder(last, given.map(message)).map(({ seq }) => seq);
    expect(seqs(0, 1, 2, 3)).toEqual([1, 2, 3]);
    expect(seqs(2, 1, 2, 3)).toEqual([3]);
    expect(seqs(0, 2, 3)).toEqual([]);
    expect(seqs(3, 5, 4, 4, 7)).toEqual([4, 5]);
  });

  it('remembers each sender apart', () => {
    const store = new MemoryOutboxStore();
    const heard: Json[] = [];
    const say = (name: string, seq: number) =>
      receive(store, { object: 'campaign', name }, [{ seq, body: `${name}${seq}` }], (body) => heard.push(body));
    expect([say('a', 1), say('b', 1), say('a', 1), say('a', 2)]).toEqual([1, 1, 1, 2]);
    expect(heard).toEqual(['a1', 'b1', 'a2']);
  });
});

it('an address survives being a key', () => {
  const address: ObjectAddress = { object: 'campaign', name: 'c-01/with/slashes' };
  expect(parseAddress(addressKey(address))).toEqual(address);
});
