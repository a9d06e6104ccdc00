import { checkOptions } from '../../acquisition/contract.ts';
import type { AcquisitionKind } from '../../acquisition/index.ts';
import { BUILTIN_NAMES } from '../../bbob/index.ts';
import { margin } from '../bounds.ts';
import { strategyParameters } from '../parameters.ts';
import { F32_ALLEVIATE_CONDITION, F32_FLOORS } from './contract.ts';
import type { FleetObjective } from './contract.ts';
import { recentLength } from './layout.ts';
import type { FleetLayout } from './layout.ts';
import type { PlannedRun } from './plan.ts';
import { narrow } from './state.ts';

/** Numbers of the objectives, and of the acquisitions, in layout.wgsl. */
const FUNCTION_OBJECTIVE = 0;
const ENSEMBLE_OBJECTIVE = 1;
const ACQUISITION_CODES: Readonly<Record<AcquisitionKind, number>> = { ei: 0, ucb: 1, pi: 2, mean: 3, thompson: 3 };

/** No member in particular. */
const EVERY_MEMBER = 0xffffffff;
const MOST = 0xffffffff;
const TWO_32 = 4294967296;

/** Below this a standard deviation is rounding; see acquisition.ts. */
const RELATIVE_STD_FLOOR = 1e-12;
const SMALLEST_STD = 1e-30;

type Fields = Readonly<Record<string, number | readonly number[]>>;

function integersOf(objective: FleetObjective): Fields {
  if (objective.kind === 'function') {
    return {
      U_OBJECTIVE: FUNCTION_OBJECTIVE,
      U_FUNCTION: BUILTIN_NAMES.indexOf(objective.name),
      U_MEMBER: EVERY_MEMBER,
    };
  }
  const { kind } = objective.acquisition;
  const member = kind === 'thompson' ? (objective.member ?? EVERY_MEMBER) : EVERY_MEMBER;
  return { U_OBJECTIVE: ENSEMBLE_OBJECTIVE, U_FUNCTION: ACQUISITION_CODES[kind], U_MEMBER: member };
}

function numbersOf(objective: FleetObjective): Fields {
  if (objective.kind === 'function') return {};
  const { sign, kappa, xi, best } = checkOptions(objective.acquisition);
  const floor = Math.max(RELATIVE_STD_FLOOR * (Math.abs(best) || 1), SMALLEST_STD);
  return { P_SIGN: sign, P_KAPPA: kappa, P_XI: xi, P_BEST: best, P_STD_FLOOR: floor };
}

/** The condition number at which a run stops on a GPU. */
export function conditionLimit(tolconditioncov: number): number {
  return tolconditioncov > 0 ? Math.min(tolconditioncov, F32_FLOORS.conditionLimit) : Infinity;
}

function parameterFields({ resolved, objective }: PlannedRun): Fields {
  const { dimension, popsize, active, dampfac, updatecovwait, lower, upper, stds, sigma0, cov } = resolved;
  const strategy = strategyParameters({ dimension, popsize, active, diagonal: false, dampfac, updatecovwait });
  return {
    P_MUEFF: strategy.mueff,
    P_CC: strategy.cc,
    P_C1: strategy.c1,
    P_CMU: strategy.cmu,
    P_CS: strategy.cs,
    P_DAMPS: strategy.damps,
    P_CHI_N: strategy.chiN,
    P_ALLEVIATE: F32_ALLEVIATE_CONDITION,
    P_EIGEN_GAP: strategy.eigenGap,
    P_WEIGHT_SUM: strategy.weights.reduce((sum, weight) => sum + weight, 0),
    P_FTARGET: resolved.ftarget,
    P_TOLFUN: resolved.tolfun,
    P_TOLFUNHIST: resolved.tolfunhist,
    P_TOLFUNREL: resolved.tolfunrel,
    P_TOLX: resolved.tolx,
    P_TOLFACUPX: resolved.tolfacupx,
    P_TOLUPSIGMA: resolved.tolupsigma > 0 ? resolved.tolupsigma * sigma0 : Infinity,
    P_CONDITION_ROOT: Math.sqrt(conditionLimit(resolved.tolconditioncov)),
    P_TOLFLATFITNESS: resolved.tolflatfitness,
    P_XSTAGNATION: resolved.tolxstagnation ?? [-1, 0, 0],
    P_INITIAL_STD: stds.map((std, i) => std * sigma0 * Math.sqrt(cov?.[i]?.[i] ?? 1)),
    P_MIN_STD: resolved.minstd,
    P_MAX_STD: resolved.maxstd,
    P_LOWER: lower,
    P_UPPER: upper,
    P_LOWER_MARGIN: lower.map((low, i) => margin(low, low, upper[i] ?? Infinity)),
    P_UPPER_MARGIN: upper.map((high, i) => margin(high, lower[i] ?? -Infinity, high)),
    P_WEIGHTS: strategy.weights,
    ...numbersOf(objective),
  };
}

function setupFields({ resolved, objective }: PlannedRun, stream: number): Fields {
  const { dimension, popsize, seed } = resolved;
  return {
    ...integersOf(objective),
    U_LAMBDA: popsize,
    U_MU: resolved.popsize >> 1,
    U_BOUNDED: resolved.bounded ? 1 : 0,
    U_MAXFEVALS: Math.min(resolved.maxfevals, MOST),
    U_MAXITER: Math.min(resolved.maxiter, MOST),
    U_RECENT: recentLength(dimension, popsize),
    U_SEED: seed % TWO_32,
    U_SEED_HIGH: Math.floor(seed / TWO_32),
    U_STREAM: stream % TWO_32,
    U_STREAM_HIGH: Math.floor(stream / TWO_32),
  };
}

const listOf = (value: number | readonly number[]): readonly number[] => (typeof value === 'number' ? [value] : value);

/** A run's record of numbers that do not change, for `PARAMETER`. */
export function packParameters(run: PlannedRun, layout: FleetLayout): Float32Array {
  const record = new Float32Array(layout.stride('PARAMETER'));
  for (const [field, value] of Object.entries(parameterFields(run))) {
    record.set(listOf(value).map(narrow), layout.at(field));
  }
  return record;
}

/** A run's record of integers that do not change, for `SETUP`. */
export function packSetup(run: PlannedRun, stream: number, layout: FleetLayout): Uint32Array {
  const record = new Uint32Array(layout.stride('SETUP'));
  for (const [field, value] of Object.entries(setupFields(run, stream))) record.set(listOf(value), layout.at(field));
  return record;
}
