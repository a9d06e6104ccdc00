import type { TabgridError, WorkerId } from '#protocol';
import type { SessionEvent, SessionPhase, SessionStats } from '../client/worker/index.ts';
import type { Component } from './components/component.ts';
import { RunningWorker } from './components/context.ts';
import { Lifecycle } from './components/lifecycle.ts';
import { loadComponents } from './components/load.ts';
import { workerConfig, type WorkerConfigInput } from './config.ts';
import type { Log } from './log.ts';
import { standardComponents } from './parts/index.ts';

export interface WorkerHooks {
  /** Hears what happens, for a log or a display. */
  onEvent?: (event: SessionEvent) => void;
  /** Takes lines for the operator. */
  log?: Log;
  /** Further components, beside those of `componentFiles`. */
  components?: readonly Component[];
}

/** A running worker. */
export interface WorkerHandle {
  readonly workerId: WorkerId;
  readonly name: string;
  readonly phase: SessionPhase;
  readonly stats: SessionStats;
  /** Resolves when it is over: with the refusal that ended it, such as `unauthorized`, or with null. Never rejects. */
  readonly closed: Promise<TabgridError | null>;
  /** First stage: takes nothing new, hands back what others can continue, finishes the rest. */
  stop(reason: string): Promise<TabgridError | null>;
  /** Second stage: ends what still runs and gives it back. */
  abort(reason: string): Promise<TabgridError | null>;
}

/**
 * Starts a worker and returns once it has begun to connect. It installs no signal handlers.
 *
 * @throws TabgridError `invalid_request` for options and components that do not fit, `not_configured` without built kernels.
 */
export async function startWorker(input: WorkerConfigInput, hooks: WorkerHooks = {}): Promise<WorkerHandle> {
  const config = workerConfig(input);
  const log = hooks.log ?? (() => undefined);
  const components = [
    ...standardComponents,
    ...(hooks.components ?? []),
    ...(await loadComponents(config.componentFiles)),
  ];
  let isUp = false;
  const takeNoMore = () => {
    if (isUp) lifecycle.takeNoMore();
  };
  const worker = new RunningWorker(config, log, takeNoMore);
  const lifecycle = new Lifecycle({ clock: worker.clock, log });
  // The edge may ask for it too.
  worker.onEvent((event) => event.type === 'phase' && event.phase === 'draining' && takeNoMore());
  if (hooks.onEvent) worker.onEvent(hooks.onEvent);
  await lifecycle.start(components, worker);
  const { session } = worker;
  if (session === null) throw new Error('a worker without a session');
  isUp = true;
  if (worker.drainReason !== null) takeNoMore();

  const hurry = new AbortController();
  const closed = session.closed.then(async (error) => {
    await lifecycle.stop(hurry.signal);
    return error;
  });
  return {
    workerId: worker.workerId,
    name: config.name,
    get phase() {
      return session.phase;
    },
    get stats() {
      return session.stats;
    },
    closed,
    stop: (reason) => {
      worker.drain(reason);
      return closed;
    },
    abort: (reason) => {
      hurry.abort();
      session.leave(reason);
      return closed;
    },
  };
}
