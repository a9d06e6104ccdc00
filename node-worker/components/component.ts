import type { Parts } from '../parts/parts.ts';
import type { RunningWorker, WorkerContext } from './context.ts';

/** What a component that has started leaves behind. */
export interface Started<Value = unknown> {
  /** What those that require it get under its name. */
  readonly value?: Value;
  /** The worker begins to leave: take nothing new, go on with what is under way. Called once, before `stop`. */
  readonly takeNoMore?: () => void;
  /**
   * Ends it. By now the edge has been told goodbye, and all that require this component have stopped.
   * @param hurry aborts when what is under way is not to be waited for.
   */
  readonly stop?: (hurry: AbortSignal) => void | Promise<void>;
}

/** A named part of a worker: what Celery calls a bootstep. */
export interface Component {
  readonly name: string;
  /** Components that must have started before it; it stops before they do. */
  readonly requires?: readonly string[] | undefined;
  /** Components that start after it, if they are there: for what they shall find, such as an evaluator. */
  readonly before?: readonly string[] | undefined;
  /** How long stopping may take before the others are stopped without it; null as long as nobody is in a hurry. Default 10,000 ms. */
  readonly stopWithinMs?: number | null | undefined;
  /** @param parts what the required components have left, by their names. */
  readonly start: (
    worker: WorkerContext,
    parts: Readonly<Record<string, unknown>>,
  ) => Started | undefined | void | Promise<Started | undefined | void>;
}

type ValueOf<Name extends string> = Name extends keyof Parts ? Parts[Name] : unknown;

/** A component of ours, whose requirements are typed: `parts` has what `requires` names, and `value` is what the worker’s part of that name is. */
export interface TypedComponent<Name extends string, Requires extends readonly string[]> extends Omit<
  Component,
  'start'
> {
  readonly name: Name;
  readonly requires?: Requires;
  readonly start: (
    worker: RunningWorker,
    parts: { readonly [Each in Requires[number]]: ValueOf<Each> },
  ) => Started<ValueOf<Name>> | undefined | void | Promise<Started<ValueOf<Name>> | undefined | void>;
}

/** Says the types of a component; changes nothing. */
export function component<Name extends string, const Requires extends readonly string[] = []>(
  definition: TypedComponent<Name, Requires>,
): Component {
  // The lifecycle hands over a running worker and what `requires` names, and those components were typed in the same way.
  return definition as unknown as Component;
}
