import type { TaskContext } from '../tasks/body.ts';

/** Makes its signal when it is asked for it. */
export interface SignalSource {
  readonly signal: AbortSignal;
}

type Signals = Pick<TaskContext, 'signal' | 'softLimit'>;
type Sources = Readonly<Record<keyof Signals, SignalSource>>;

const sourcesKey = Symbol('sources of signals');

/** The same functions for all contexts: with getters of its own each would get a hidden class of its own, which takes longer than all else about a brief task. */
const getters = {
  signal: {
    enumerable: true,
    get(this: { [sourcesKey]: Sources }) {
      return this[sourcesKey].signal.signal;
    },
  },
  softLimit: {
    enumerable: true,
    get(this: { [sourcesKey]: Sources }) {
      return this[sourcesKey].softLimit.signal;
    },
  },
};

/** Gives `context` its signals, each made when a body first reads it. They are properties of its own, so that a body may spread it. */
export function withSignals<Context extends object>(context: Context, sources: Sources): Context & Signals {
  const lazy = Object.assign(context, { [sourcesKey]: sources });
  Object.defineProperty(lazy, 'signal', getters.signal);
  Object.defineProperty(lazy, 'softLimit', getters.softLimit);
  return lazy as unknown as Context & Signals;
}
