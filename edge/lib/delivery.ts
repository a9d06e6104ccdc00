import type { Env } from '../env.ts';
import type { Carry, Envelope, ObjectAddress } from './outbox.ts';
import { call, type Reply } from './rpc.ts';

/** What an object offers that receives messages of an outbox. */
export interface Receiver {
  /** Applies what is next of this sender. @returns the number applied last. */
  deliver(sender: ObjectAddress, messages: Envelope[]): Promise<Reply<number>>;
}

/** The stub of the object at `address`, seen through the interface that it offers: RPC’s own mapped types don’t survive JSON values. */
export function stubOf<Api>(env: Env, address: ObjectAddress): Api & Fetcher {
  const namespace = namespaceOf(env, address);
  return namespace.get(namespace.idFromName(address.name)) as unknown as Api & Fetcher;
}

function namespaceOf(env: Env, { object }: ObjectAddress): DurableObjectNamespace {
  switch (object) {
    case 'beat':
      return env.BEAT as unknown as DurableObjectNamespace;
    case 'broker':
      return env.BROKER as unknown as DurableObjectNamespace;
    case 'campaign':
      return env.CAMPAIGN as unknown as DurableObjectNamespace;
    case 'files':
      return env.FILES as unknown as DurableObjectNamespace;
    case 'monitor':
      return env.MONITOR as unknown as DurableObjectNamespace;
    case 'tokens':
      return env.TOKENS as unknown as DurableObjectNamespace;
    case 'workflow':
      return env.WORKFLOW as unknown as DurableObjectNamespace;
  }
}

/** Carries an outbox’s messages from `sender` by RPC. */
export function carryFrom(env: Env, sender: ObjectAddress): Carry {
  return (target, messages) => call(stubOf<Receiver>(env, target).deliver(sender, messages));
}
