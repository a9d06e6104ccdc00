import { TabgridError } from '#protocol';
import type { CandidateValues } from '../../client/worker/index.ts';
import type { EvaluateFunction } from './declaration.ts';
import type { Evaluation } from './evaluators.ts';
import { valuesOf } from './output.ts';

/** Calls a function of this process. At the time limit its signal aborts and nobody waits for it any more. */
export async function evaluateByFunction(evaluate: EvaluateFunction, evaluation: Evaluation): Promise<CandidateValues> {
  const { candidate, onFraction: report, timeLimitMs } = evaluation;
  const limit = AbortSignal.timeout(Math.min(timeLimitMs, 2_147_483_647));
  const signal = AbortSignal.any([evaluation.signal, limit]);
  try {
    const values = await Promise.race([evaluate(candidate, { signal, report }), abortOf(signal)]);
    return valuesOf(values === undefined ? '' : JSON.stringify(values));
  } catch (error) {
    evaluation.signal.throwIfAborted();
    if (limit.aborted) {
      throw new TabgridError(
        'time_limit_exceeded',
        `The time limit of ${timeLimitMs / 1000} s for one candidate is over.`,
      );
    }
    if (error instanceof TabgridError) throw error;
    throw new TabgridError('evaluator_failed', error instanceof Error ? error.message : String(error));
  }
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
