import type { Capabilities } from '#protocol';

/** Tasks that the same workers can serve: one queue and one set of needs. */
export interface LaneKind {
  readonly queue: string;
  /** What a worker must provide, such as the task’s name, which is the first, and `evaluator:barrel`. */
  readonly needs: readonly string[];
  /** Light enough for the stateless Worker. */
  readonly edge: boolean;
}

/** At most `limit` tasks with this key, and of this owner, run at a time. */
export interface ConcurrencyLimit {
  readonly key: string;
  readonly limit: number;
}

/**
 * Tasks of one kind that nothing tells apart but their order wait in one lane: they have one owner and one concurrency limit. So a claim
 * looks at the heads of lanes, however long they are, and a lane that must wait holds up no other.
 */
export interface Lane {
  readonly id: number;
  /** The same object in all lanes of a kind. */
  readonly kind: LaneKind;
  readonly owner: string;
  readonly concurrency: ConcurrencyLimit | null;
}

export type NewLane = LaneKind & Pick<Lane, 'owner' | 'concurrency'>;

/** What a worker serves. */
export interface Profile {
  readonly queues: ReadonlySet<string>;
  readonly provides: ReadonlySet<string>;
  /** A stranger’s tab isn’t: its answers count only when they can be checked, so it is never given a task alone. */
  readonly trusted: boolean;
}

export function serves(profile: Profile, kind: LaneKind): boolean {
  return profile.trusted && profile.queues.has(kind.queue) && kind.needs.every((need) => profile.provides.has(need));
}

/** What a worker with these capabilities provides, in the words of `needs`. */
export function providesOf(capabilities: Pick<Capabilities, 'tasks' | 'evaluators' | 'gpu'>): Set<string> {
  return new Set([
    ...capabilities.tasks,
    ...capabilities.evaluators.map((name) => `evaluator:${name}`),
    ...(capabilities.gpu ? ['gpu'] : []),
  ]);
}

/** The task type of a kind. */
export function taskOf(kind: LaneKind): string {
  return kind.needs[0] ?? '';
}

/** Equal keys: one kind. */
export function kindKey({ queue, needs, edge }: LaneKind): string {
  return JSON.stringify([queue, edge, ...needs]);
}

/** Equal keys: one lane. */
export function laneKey(lane: NewLane): string {
  const { owner, concurrency } = lane;
  return JSON.stringify([kindKey(lane), owner, ...(concurrency === null ? [] : [concurrency.key, concurrency.limit])]);
}

/** Equal keys: lanes whose tasks count together. */
export function concurrencyKey(owner: string, key: string): string {
  return JSON.stringify([owner, key]);
}
