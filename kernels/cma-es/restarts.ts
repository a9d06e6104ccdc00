import { KernelInputError, requireChoice, requireInteger, requireNumber } from '../runtime/index.ts';
import { LIMITS } from './contract.ts';
import type { RestartOptions } from './contract.ts';
import { parseSides } from './fields.ts';
import type { ResolvedOptions } from './options.ts';

/** Restart options with every default filled in. */
export interface RestartRules {
  readonly restarts: RestartOptions['restarts'];
  readonly maxEvaluations: number;
  readonly target: number | undefined;
  readonly maxRestarts: number;
  readonly tolbehind: number;
  /** Where further runs begin; undefined for x0. */
  readonly box: Box | undefined;
}

interface Box {
  readonly lower: readonly number[];
  readonly upper: readonly number[];
}

/** `first`: with the given population; `large`: doubled; `small`: a local search between the large ones. */
export const REGIMES = ['first', 'large', 'small'] as const;
export type Regime = (typeof REGIMES)[number];

/** A run that has ended. */
export interface RunSummary {
  readonly regime: Regime;
  readonly popsize: number;
  readonly evaluations: number;
  readonly iterations: number;
  /** Its best value; +∞ when it saw no finite one. */
  readonly fun: number;
  readonly stop: Record<string, number>;
}

/** What the next run is to be. */
export interface RunPlan {
  readonly regime: Regime;
  readonly popsize: number;
  readonly sigma0: number;
  readonly maxiter: number;
}

/** Random numbers and powers for plans. */
export interface Chance {
  uniform(): number;
  pow(base: number, exponent: number): number;
}

const NAMES: readonly string[] = ['restarts', 'maxEvaluations', 'target', 'maxRestarts', 'restartFrom', 'tolbehind'];

function parseBox(from: NonNullable<RestartOptions['restartFrom']>, run: ResolvedOptions): Box | undefined {
  if (from === 'x0') return undefined;
  if (typeof from === 'string') requireChoice('restartFrom', from, ['x0', 'bounds']);
  const name = typeof from === 'string' ? 'bounds' : 'restartFrom';
  const { box, space } = run;
  const { lower, upper } = typeof from === 'string' ? box : parseSides(name, from, space.dimension);
  for (const i of space.free) {
    const low = requireNumber(`${name}.lower[${i}]`, lower[i], { min: box.lower[i] ?? -Infinity });
    requireNumber(`${name}.upper[${i}]`, upper[i], { min: low, max: box.upper[i] ?? Infinity });
  }
  return { lower, upper };
}

/** @throws KernelInputError naming the option that does not fit. */
export function parseRestartOptions(options: RestartOptions, run: ResolvedOptions): RestartRules {
  const stranger = Object.keys(options).find((name) => !NAMES.includes(name));
  if (stranger !== undefined) throw new KernelInputError(stranger, `one of the options ${NAMES.join(', ')}`, stranger);
  return {
    restarts: requireChoice('restarts', options.restarts, ['none', 'ipop', 'bipop']),
    maxEvaluations: requireInteger('maxEvaluations', options.maxEvaluations, { min: 1 }),
    target: options.target === undefined ? undefined : requireNumber('target', options.target),
    maxRestarts: requireInteger('maxRestarts', options.maxRestarts ?? 9, { min: 0, max: LIMITS.restarts }),
    tolbehind: requireNumber('tolbehind', options.tolbehind ?? 0.5, { min: 0 }),
    box: parseBox(options.restartFrom ?? 'x0', run),
  };
}

const spent = (runs: readonly RunSummary[], large: boolean): number =>
  runs.filter((run) => (run.regime === 'large') === large).reduce((sum, run) => sum + run.evaluations, 0);

/**
 * The run after `runs`, or nothing when the doublings are used up.
 *
 * BIPOP as in pycma's `fmin`: the first run counts for the small regime; while the small regime has spent less than the
 * large one, it is its turn, with σ₀·100^(−U) and ⌊λ₀·(λ_large/λ₀)^(U²)⌋ candidates, and at most half of the large
 * regime's evaluations.
 */
export function planRun(
  rules: RestartRules,
  first: ResolvedOptions,
  runs: readonly RunSummary[],
  chance: Chance,
): RunPlan | undefined {
  const doublings = runs.filter((run) => run.regime === 'large').length + 1;
  if (rules.restarts === 'none' || doublings > rules.maxRestarts) return undefined;
  const large = spent(runs, true);
  const factor = chance.pow(2, doublings - 1);
  if (rules.restarts === 'bipop' && spent(runs, false) < large) {
    const sigma0 = first.sigma0 * chance.pow(0.01, chance.uniform());
    const share = chance.uniform();
    const popsize = Math.floor(first.popsize * chance.pow(factor, share * share));
    const maxiter = Math.ceil(Math.min(first.maxiter, (0.5 * large) / popsize));
    return { regime: 'small', popsize, sigma0, maxiter };
  }
  return { regime: 'large', popsize: first.popsize * factor * 2, sigma0: first.sigma0, maxiter: first.maxiter };
}
