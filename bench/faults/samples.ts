import type { Rng } from '#kernels/rng';
import type { Json, Signature } from '#protocol';
import type { Grid } from '../../client/sdk/index.ts';
import type { Ledger } from './ledger.ts';

/** A task, and what must come of it whatever happens. */
export interface Sample {
  readonly signature: Signature;
  readonly expected: Ending;
  /** How many of its attempts fail and count, where every one does. */
  readonly retries?: number;
}

/** How a task ends: with a result, or with the code of an error. */
export type Ending =
  { readonly state: 'SUCCESS'; readonly result: Json } | { readonly state: 'FAILURE'; readonly error: string };

type Evaluator = 'plain' | 'flaky' | 'slow' | 'dead';

/** What `tasks.mjs` computes. */
export function evaluation(evaluator: Evaluator, a: number, b: number): Signature {
  return {
    task: 'evaluate_candidates',
    kwargs: { candidates: [[a, b]], evaluator: { kind: 'builtin', name: evaluator } },
  };
}

export function valueOf(a: number, b: number): Json {
  return { values: [{ y: a + b }], failed: [] };
}

/** A result without what depends on who computed it. */
export function essenceOf(task: string, result: Json): Json {
  return task === 'ping' ? { status: (result as { status?: Json } | null)?.status ?? null } : result;
}

const heavy: readonly Signature[] = [1, 2, 3, 4].flatMap((seed) => [
  {
    task: 'run_cmaes_optimization',
    kwargs: { objective: { suite: 'bbob', function: 8, instance: 1 }, dimension: 8, seed, max_evaluations: 8_000 },
  },
  {
    task: 'compute_pareto_front',
    kwargs: {
      points: Array.from({ length: 40 }, (_, k) => [(k * seed * 7) % 41, (k * k + seed) % 37]),
      directions: ['min', 'max'],
    },
  },
]);

/** Real searches and fronts, with what they come to while nothing is in their way. */
export async function heavySamples(grid: Grid, ledger: Ledger): Promise<Sample[]> {
  return Promise.all(
    heavy.map(async (signature) => {
      const result = await grid.submitSignature(signature);
      const expected = { state: 'SUCCESS', result: (await result.get()) as Json } as const;
      const made = { signature, expected };
      ledger.accept(result, made);
      return made;
    }),
  );
}

/** A task of any kind; some wait for their time, some share a limit. @param n its number, which its result tells */
export function sample(n: number, rng: Rng, searches: readonly Sample[]): Sample {
  const made = ofKind(n, rng.uniform(), rng, searches);
  const chance = rng.uniform();
  const more: Partial<Signature> = {
    priority: rng.integer(10),
    ...(chance < 0.1 ? { countdown: 0.5 + rng.uniform() * 6 } : {}),
    ...(chance > 0.95 ? { concurrency_key: `laboratory-${n % 3}`, concurrency_limit: 2 } : {}),
  };
  return { ...made, signature: { ...made.signature, ...more } };
}

function ofKind(n: number, chance: number, rng: Rng, searches: readonly Sample[]): Sample {
  if (chance < 0.01) {
    return {
      signature: { ...evaluation('dead', n, 0), max_retries: 2, retry_backoff: 0.3 },
      expected: { state: 'FAILURE', error: 'task_failed' },
      retries: 2,
    };
  }
  if (chance < 0.06) return computed('slow', n, 6 + rng.integer(24), {});
  if (chance < 0.07) return searches[rng.integer(searches.length)] ?? computed('plain', n, 0, {});
  if (chance < 0.16) return computed('flaky', n, 1 + rng.integer(3), { max_retries: 10, retry_backoff: false });
  if (chance < 0.2) return computed('flaky', n, 1, { max_retries: 10, retry_backoff: 0.5, retry_backoff_max: 2 });
  if (chance < 0.6) return computed('plain', n, rng.integer(1000), {});
  return { signature: { task: 'ping', kwargs: {} }, expected: { state: 'SUCCESS', result: { status: 'pong' } } };
}

function computed(evaluator: Evaluator, a: number, b: number, more: Partial<Signature>): Sample {
  return {
    signature: { ...evaluation(evaluator, a, b), ...more },
    expected: { state: 'SUCCESS', result: valueOf(a, b) },
  };
}
