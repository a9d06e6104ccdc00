import { component } from '../components/component.ts';
import { EvaluationExecutor } from '../evaluators/executor.ts';
import { RoutedExecutor } from '../routed-executor.ts';

/** Who computes which task. */
export const executor = component({
  name: 'executor',
  requires: ['evaluation', 'redis', 'threads', 'gpu'],
  start: ({ executors }, { evaluation, redis, threads, gpu }) => {
    const processes = new EvaluationExecutor(evaluation);
    const routed = new RoutedExecutor({
      threads,
      evaluations: redis?.executor ?? processes,
      evaluationArrays: processes,
      gpu: gpu?.executor ?? null,
      byTask: executors.take(),
    });
    return { value: routed, stop: () => routed.close() };
  },
});
