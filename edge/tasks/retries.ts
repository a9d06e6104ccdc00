import type { TaskType } from '#catalog';
import type { RetryPolicy, Signature } from '#protocol';
import type { NewTask } from '../broker/rpc.ts';
import type { EdgeConfig } from '../config.ts';

/** How often, when and after which errors a task is tried again: as it says itself, else its type, else the deployment. */
export function retriesOf(
  signature: Signature,
  type: TaskType,
  config: EdgeConfig,
): Pick<NewTask, 'max_retries' | 'retry' | 'retry_on' | 'dont_retry_on'> {
  const retryOn = signature.retry_on ?? type.retryOn;
  const dontRetryOn = signature.dont_retry_on ?? type.dontRetryOn;
  return {
    max_retries: signature.max_retries ?? type.maxRetries ?? config.maxRetries,
    retry: policyOf(signature, { ...config.retry, ...type.retry }),
    ...(retryOn === undefined ? {} : { retry_on: [...new Set(retryOn)] }),
    ...(dontRetryOn === undefined ? {} : { dont_retry_on: [...new Set(dontRetryOn)] }),
  };
}

function policyOf(signature: Signature, policy: RetryPolicy): RetryPolicy {
  const { retry_backoff: backoff, retry_backoff_max: maxSeconds, retry_jitter: jitter = policy.jitter } = signature;
  if (backoff === false) return { ...policy, baseDelayMs: 0, maxDelayMs: 0, jitter };
  const baseDelayMs = typeof backoff === 'number' ? backoff * 1000 : policy.baseDelayMs;
  if (maxSeconds !== undefined) return { ...policy, baseDelayMs, maxDelayMs: maxSeconds * 1000, jitter };
  // Whoever asks for a long first delay doesn’t want it cut.
  const maxDelayMs = typeof backoff === 'number' ? Math.max(policy.maxDelayMs, baseDelayMs) : policy.maxDelayMs;
  return { ...policy, baseDelayMs, maxDelayMs, jitter };
}
