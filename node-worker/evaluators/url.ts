import { TabgridError } from '#protocol';
import type { CandidateValues } from '../../client/worker/index.ts';
import type { Evaluation } from './evaluators.ts';
import { valuesOf } from './output.ts';

const maxErrorChars = 2000;

/** POSTs the candidate as JSON and reads the values from the answer. */
export async function evaluateByUrl(url: string, evaluation: Evaluation): Promise<CandidateValues> {
  const limit = AbortSignal.timeout(Math.min(evaluation.timeLimitMs, 2_147_483_647));
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(evaluation.candidate),
      signal: AbortSignal.any([evaluation.signal, limit]),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new TabgridError('evaluator_failed', `${url} answered ${response.status}: ${text.slice(0, maxErrorChars)}`);
    }
    return valuesOf(text.trim());
  } catch (error) {
    evaluation.signal.throwIfAborted();
    if (limit.aborted) {
      const seconds = evaluation.timeLimitMs / 1000;
      throw new TabgridError('time_limit_exceeded', `The time limit of ${seconds} s for one candidate is over.`);
    }
    if (error instanceof TabgridError) throw error;
    throw new TabgridError('evaluator_failed', `${url}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
