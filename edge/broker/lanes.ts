import type { Capabilities } from '#protocol';

/**
 * Tasks that the same workers can serve wait in one lane: one queue and one set of needs. So a worker’s claim looks at the heads of a
 * few lanes, however long they are.
 */
export interface Lane {
  readonly id: number;
  readonly queue: string;
  /** What a worker must provide, such as the task’s name and `evaluator:barrel`. */
  readonly needs: readonly string[];
  /** Light enough for the stateless Worker. */
  readonly edge: boolean;
}

/** What a worker serves. */
export interface Profile {
  readonly queues: ReadonlySet<string>;
  readonly provides: ReadonlySet<string>;
  /** A stranger’s tab isn’t: its answers count only when they can be checked, so it is never given a task alone. */
  readonly trusted: boolean;
}

export function serves(profile: Profile, lane: Lane): boolean {
  return profile.trusted && profile.queues.has(lane.queue) && lane.needs.every((need) => profile.provides.has(need));
}

/** What a worker with these capabilities provides, in the words of `needs`. */
export function providesOf(capabilities: Pick<Capabilities, 'tasks' | 'evaluators' | 'gpu'>): Set<string> {
  return new Set([
    ...capabilities.tasks,
    ...capabilities.evaluators.map((name) => `evaluator:${name}`),
    ...(capabilities.gpu ? ['gpu'] : []),
  ]);
}

/** Equal keys: one lane. */
export function laneKey(lane: Omit<Lane, 'id'>): string {
  return JSON.stringify([lane.queue, lane.edge, ...lane.needs]);
}
