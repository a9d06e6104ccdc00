import { abortAllDurableObjects, listDurableObjectIds, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { Env } from '../../../edge/env.ts';

const { BEAT, BROKER, CAMPAIGN, FILES, MONITOR, TOKENS, WORKFLOW } = env as unknown as Env;

async function untilStarted<T extends Rpc.DurableObjectBranded>(namespace: DurableObjectNamespace<T>): Promise<void> {
  for (const id of await listDurableObjectIds(namespace)) {
    await runInDurableObject(namespace.get(id), () => undefined);
  }
}

/**
 * Unmakes the memory of all objects and cuts their sockets, as a crash does; storage stays.
 *
 * Objects that are just starting are waited for first: the runner fetches their modules, and would wait forever for an answer to an object that is
 * no more.
 */
export async function evictAll(): Promise<void> {
  await untilStarted(BEAT);
  await untilStarted(BROKER);
  await untilStarted(CAMPAIGN);
  await untilStarted(FILES);
  await untilStarted(MONITOR);
  await untilStarted(TOKENS);
  await untilStarted(WORKFLOW);
  await abortAllDurableObjects();
}
