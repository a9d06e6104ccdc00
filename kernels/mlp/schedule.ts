import { KernelInputError, requireChoice, requireNumber, requireRecord } from '../runtime/index.ts';

const SCHEDULE_KINDS = ['constant', 'cosine', 'step', 'exponential'] as const;

/**
 * How the step size α changes while training goes on; E is the number of epochs, w that of the warm-up.
 *
 * - `constant`: α.
 * - `cosine`: from α to `minimum`·α along half a cosine, over the epochs w … E, step by step (Loshchilov & Hutter 2017, eq. 5, one run).
 * - `step`: α times `gamma` after every `stepSize` epochs (PyTorch's StepLR).
 * - `exponential`: α times `gamma` after every epoch (PyTorch's ExponentialLR).
 */
export type Schedule = {
  /** Epochs, or a part of one, over whose steps the rate rises in equal steps to the full one. Default 0: none. */
  readonly warmup?: number;
} & (
  | { readonly kind: 'constant' }
  /** `minimum` from 0 to 1, default 0. */
  | { readonly kind: 'cosine'; readonly minimum?: number }
  /** `stepSize` in epochs, at least 1; `gamma` above 0, up to 1, default 0.1. */
  | { readonly kind: 'step'; readonly stepSize: number; readonly gamma?: number }
  /** `gamma` above 0, up to 1. */
  | { readonly kind: 'exponential'; readonly gamma: number }
);

/** A schedule with nothing left out. */
export type CheckedSchedule = { readonly warmup: number } & (
  | { readonly kind: 'constant' }
  | { readonly kind: 'cosine'; readonly minimum: number }
  | { readonly kind: 'step'; readonly stepSize: number; readonly gamma: number }
  | { readonly kind: 'exponential'; readonly gamma: number }
);

const STEP_GAMMA = 0.1;

/** @throws KernelInputError naming the member of the schedule. */
export function checkSchedule(value: unknown = { kind: 'constant' }): CheckedSchedule {
  const record = requireRecord('schedule', value);
  const kind = requireChoice('schedule.kind', record.kind, SCHEDULE_KINDS);
  const warmup = requireNumber('schedule.warmup', record.warmup ?? 0, { min: 0 });
  const factor = (name: string, fallback?: number): number =>
    requireNumber(`schedule.${name}`, record[name] ?? fallback, { min: 0, above: true, max: 1 });
  const known = (members: readonly string[]): void => {
    const other = Object.keys(record).find((name) => !['kind', 'warmup', ...members].includes(name));
    if (other !== undefined) throw new KernelInputError(`schedule.${other}`, `nothing with "${kind}"`, record[other]);
  };
  switch (kind) {
    case 'constant':
      known([]);
      return { kind, warmup };
    case 'cosine':
      known(['minimum']);
      return { kind, warmup, minimum: requireNumber('schedule.minimum', record.minimum ?? 0, { min: 0, max: 1 }) };
    case 'step':
      known(['stepSize', 'gamma']);
      return {
        kind,
        warmup,
        stepSize: requireNumber('schedule.stepSize', record.stepSize, { min: 1 }),
        gamma: factor('gamma', STEP_GAMMA),
      };
    case 'exponential':
      known(['gamma']);
      return { kind, warmup, gamma: factor('gamma') };
  }
}

/** The functions that schedules need; those of the kernel binary, or the host's in a reference. */
export interface ScheduleMath {
  cos(x: number): number;
  pow(x: number, y: number): number;
}

/**
 * Factor on α at step t, counted from 0 over all epochs; a pure function of its arguments.
 *
 * @param steps steps of one epoch
 * @param epochs epochs of the whole training
 */
export function scheduleFactor(
  schedule: CheckedSchedule,
  math: ScheduleMath,
  t: number,
  steps: number,
  epochs: number,
): number {
  const warm = Math.round(schedule.warmup * steps);
  if (t < warm) return (t + 1) / warm;
  const epoch = Math.floor(t / steps);
  switch (schedule.kind) {
    case 'constant':
      return 1;
    case 'cosine': {
      const share = (t - warm) / Math.max(steps * epochs - warm, 1);
      return schedule.minimum + (1 - schedule.minimum) * 0.5 * (1 + math.cos(Math.PI * share));
    }
    case 'step':
      return math.pow(schedule.gamma, Math.floor(epoch / schedule.stepSize));
    case 'exponential':
      return math.pow(schedule.gamma, epoch);
  }
}
