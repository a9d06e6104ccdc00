import type { ScheduleSpec, ScheduleSummary, ScheduleView, Submitted } from '#protocol';
import type { RequestKey } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import type { Preconditions } from '../files/preconditions.ts';
import { stubOf } from '../lib/delivery.ts';
import type { ObjectAddress } from '../lib/outbox.ts';
import type { Reply } from '../lib/rpc.ts';

/** What the Beat object offers. All answers are `Reply`s. The caller has checked whose schedules the bearer may touch. */

/** A schedule and the version of what was put: its entity tag. */
export interface Versioned {
  schedule: ScheduleView;
  version: string;
}

export interface SchedulePage {
  schedules: ScheduleSummary[];
  next_cursor: string | null;
}

export interface BeatApi {
  /**
   * Makes or replaces a schedule; what it has run stays. Ticks that have come already are fired as it was, unless it pauses now.
   * @throws invalid_request, unknown_task, invalid_arguments with the path of each fault; conflict for one too many; precondition_failed.
   */
  put(
    owner: string,
    name: string,
    spec: ScheduleSpec,
    preconditions: Preconditions,
  ): Promise<Reply<Versioned & { created: boolean }>>;
  /** @throws not_found */
  find(owner: string, name: string): Promise<Reply<Versioned>>;
  /** In the order of owner and name; everyone’s where `owner` is null. @throws invalid_request for a cursor that is none. */
  list(owner: string | null, page: { limit: number; cursor: string | null }): Promise<Reply<SchedulePage>>;
  /** Tasks that it has submitted go on. @throws not_found, precondition_failed */
  remove(owner: string, name: string, preconditions: Preconditions): Promise<Reply<null>>;
  /**
   * Submits its task now, whether it pauses or not; its ticks come as before.
   * @param request with the `sub` that sent it, who is not the owner where an admin runs another’s.
   * @throws not_found, idempotency_conflict, and what the task type refuses by now.
   */
  run(owner: string, name: string, request: (RequestKey & { sub: string }) | null): Promise<Reply<Submitted>>;
}

/** There is one beat: its alarm is the clock of all schedules. */
export const beatAddress: ObjectAddress = { object: 'beat', name: 'main' };

export function beat(env: Env): BeatApi {
  return stubOf<BeatApi>(env, beatAddress);
}
