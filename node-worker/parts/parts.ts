import type { Executor, FileStore, WorkerSession } from '../../client/worker/index.ts';
import type { EvaluationParts } from '../evaluators/evaluation.ts';
import type { Evaluators } from '../evaluators/evaluators.ts';
import type { Kernels } from '../kernels.ts';
import type { RedisGroup } from '../redis/group.ts';
import type { RoutedExecutor } from '../routed-executor.ts';
import type { Bodies } from './bodies.ts';

/** What the components of every worker leave for those that require them. */
export interface Parts {
  readonly kernels: Kernels;
  readonly bodies: Bodies;
  readonly evaluators: Evaluators;
  /** Those of an edge, by its number. */
  readonly files: (edge: number) => FileStore;
  /** What evaluates by name in this process. */
  readonly evaluation: EvaluationParts;
  /** Null without `--redis`. */
  readonly redis: RedisGroup | null;
  readonly threads: Executor;
  /** Null without a GPU. */
  readonly gpu: { readonly executor: Executor; readonly adapter: string } | null;
  readonly executor: RoutedExecutor;
  readonly session: WorkerSession;
}
