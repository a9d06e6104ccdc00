import type { Json } from '#protocol';
import { retryDelayMs, type RetryPolicy } from '#protocol';
import type { Clock } from './clock.ts';
import { log } from './log.ts';
import type { OutboxStore } from './outbox-store.ts';

/**
 * The one mechanism of exactly-once between objects. A message is a row, written in the transaction that causes it and numbered without
 * holes per target; it is sent after the commit and again, by alarm, until the target has acknowledged it. The target applies a number
 * only when it is the next one of that sender, in one transaction with its effects. So a message that is repeated, lost or overtaken on
 * the way changes nothing, and messages to one target arrive in order.
 *
 * What it doesn’t do: forget. An object that has sent or received must not delete its storage and start numbering anew.
 */

/** The classes that can be addressed. */
export type ObjectKind = 'beat' | 'broker' | 'campaign' | 'files' | 'monitor' | 'tokens' | 'workflow';

/** A Durable Object by its class and the name that its id is made from. */
export interface ObjectAddress {
  object: ObjectKind;
  name: string;
}

/** A message under way. */
export interface Envelope {
  seq: number;
  /** Plain JSON. */
  body: Json;
}

/** Carries messages to a target. @returns the number that the target has applied last. Throws when it can’t be reached. */
export type Carry = (target: ObjectAddress, messages: Envelope[]) => Promise<number>;

/** Quick at first, for a target that is just restarting; at most half a minute. */
const resendPolicy: RetryPolicy = { baseDelayMs: 500, factor: 2, maxDelayMs: 30_000, jitter: true };

/** How much travels in one call. */
const maxBatchCount = 200;

export function addressKey(address: ObjectAddress): string {
  return `${address.object}/${address.name}`;
}

export function parseAddress(key: string): ObjectAddress {
  const slash = key.indexOf('/');
  return { object: key.slice(0, slash) as ObjectKind, name: key.slice(slash + 1) };
}

export interface OutboxOptions {
  readonly store: OutboxStore;
  readonly clock: Clock;
  readonly carry: Carry;
  /** The object’s alarm must call `flush` no later than then. Called inside the sender’s transaction, whose end sets the alarm, or before `arm`. */
  readonly wakeBy: (dueMs: number) => void;
  /** Sets the alarm: after a delivery that failed. */
  readonly arm: () => void;
}

/** The sender’s side. */
export class Outbox<Message> {
  readonly #options: OutboxOptions;
  /** Targets with a delivery under way, each with its promise. */
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, number>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Call it inside the transaction that causes the message, and `flush` after the commit. */
  send(target: ObjectAddress, message: Message): void {
    const { store, clock, wakeBy } = this.#options;
    store.append(addressKey(target), JSON.stringify(message));
    // Flush comes right after the commit; this is for an object that dies in between.
    wakeBy(clock.now() + resendPolicy.baseDelayMs);
  }

  /** Delivers all that waits. One delivery per target at a time; what is sent meanwhile joins it. Never throws. */
  async flush(): Promise<void> {
    await Promise.all(this.#options.store.targets().map((key) => this.#flushTarget(key)));
  }

  #flushTarget(key: string): Promise<void> {
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay;
    const delivery = this.#deliverAll(key).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, delivery);
    return delivery;
  }

  async #deliverAll(key: string): Promise<void> {
    const { store, clock, carry, wakeBy, arm } = this.#options;
    const target = parseAddress(key);
    for (;;) {
      const messages = store.head(key, maxBatchCount);
      const first = messages[0];
      if (first === undefined) return;
      try {
        const applied = await carry(target, messages);
        if (applied < first.seq) throw new Error(`target has applied ${applied}, but not ${first.seq}`);
        store.acknowledge(key, applied);
        this.#failures.delete(key);
      } catch (error) {
        const failures = this.#failures.get(key) ?? 0;
        this.#failures.set(key, failures + 1);
        // A target that is just restarting is nothing to speak of.
        if (failures >= 2) log('warn', 'outbox-delivery-failed', { target: key, failures, error });
        wakeBy(clock.now() + Math.max(50, retryDelayMs(resendPolicy, failures, clock.random())));
        arm();
        return;
      }
    }
  }
}

/** Which of `messages` the receiver must apply, in order, when it has applied everything up to `last`. */
export function nextInOrder(last: number, messages: readonly Envelope[]): Envelope[] {
  const bySeq = new Map(messages.map((message) => [message.seq, message]));
  const run: Envelope[] = [];
  for (let message = bySeq.get(last + 1); message !== undefined; message = bySeq.get(message.seq + 1))
    run.push(message);
  return run;
}

/**
 * The receiver’s side: applies what is next of this sender and remembers it. Call it inside the receiver’s transaction.
 * @returns the number applied last, for the acknowledgement.
 */
export function receive(
  store: Pick<OutboxStore, 'received' | 'setReceived'>,
  sender: ObjectAddress,
  messages: readonly Envelope[],
  apply: (body: Json) => void,
): number {
  const key = addressKey(sender);
  const last = store.received(key);
  const run = nextInOrder(last, messages);
  for (const message of run) apply(message.body);
  const applied = run.at(-1)?.seq ?? last;
  if (applied !== last) store.setReceived(key, applied);
  return applied;
}
