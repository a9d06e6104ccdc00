import type { Fault, Signature } from '#protocol';

type Options = Pick<
  Signature,
  'eta' | 'countdown' | 'soft_time_limit' | 'time_limit' | 'concurrency_key' | 'concurrency_limit'
>;

/** What is wrong with options taken together, each of which fits by itself. @param timeLimitMs where they name none, if it is known */
export function optionFaults(options: Options, timeLimitMs = Infinity): Fault[] {
  const faults: Fault[] = [];
  if (options.eta !== undefined && options.countdown !== undefined) {
    faults.push({ path: 'countdown', message: 'expected either eta or countdown, not both' });
  }
  const hardSeconds = options.time_limit ?? timeLimitMs / 1000;
  if (options.soft_time_limit !== undefined && options.soft_time_limit > hardSeconds) {
    faults.push({ path: 'soft_time_limit', message: `expected at most the hard time limit, ${hardSeconds} s` });
  }
  if (options.concurrency_limit !== undefined && options.concurrency_key === undefined) {
    faults.push({ path: 'concurrency_limit', message: 'expected together with concurrency_key' });
  }
  return faults;
}
