import { listDurableObjectIds, runInDurableObject } from 'cloudflare:test';
import { testEnv } from './api.ts';

/** Every namespace whose objects set alarms. */
const namespaces = [testEnv.BEAT, testEnv.BROKER, testEnv.CAMPAIGN, testEnv.FILES, testEnv.TOKENS, testEnv.WORKFLOW];

/** Does something in every object that there is. */
export async function inAllObjects<T>(run: (state: DurableObjectState) => T | Promise<T>): Promise<T[]> {
  const found: T[] = [];
  for (const namespace of namespaces as unknown as DurableObjectNamespace[]) {
    for (const id of await listDurableObjectIds(namespace)) {
      found.push(await runInDurableObject(namespace.get(id), (_, state) => run(state)));
    }
  }
  return found;
}

/** Real alarms that fire after the last test would find nobody there. */
export async function dropAlarms(): Promise<void> {
  await inAllObjects(({ storage }) => storage.deleteAlarm());
}
