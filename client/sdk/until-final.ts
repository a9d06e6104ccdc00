import { isFinal, type TaskState } from '#protocol';
import type { Clock } from './lib/clock.ts';

/** How long one request waits for a result; the edge allows 60 s, proxies often less. */
const maxWaitSeconds = 25;

/**
 * Looks until what is seen is final.
 * @param look answers once it is, or when the seconds have passed
 * @param late what is thrown when the time has passed
 */
export async function untilFinal<View extends { readonly state: TaskState }>(
  clock: Clock,
  timeoutSeconds = Infinity,
  look: (waitSeconds: number) => Promise<View>,
  late: (view: View) => Error,
): Promise<View> {
  const deadlineMs = clock.now() + timeoutSeconds * 1000;
  for (;;) {
    const leftSeconds = Math.max(0, (deadlineMs - clock.now()) / 1000);
    const view = await look(Math.min(maxWaitSeconds, leftSeconds));
    if (isFinal(view.state)) return view;
    if (clock.now() >= deadlineMs) throw late(view);
  }
}
