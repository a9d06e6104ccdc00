/** Searches that tests of CMA-ES have in common. */
import { CmaEs } from '../../../kernels/cma-es/index.ts';
import type { CmaOptions, RestartedCmaEs } from '../../../kernels/cma-es/index.ts';
import { KernelInputError } from '../../../kernels/index.ts';
import { kernelModule } from './load.ts';

export const module = await kernelModule();

export type Objective = (x: Float64Array) => number;

export const sphere: Objective = (x) => x.reduce((sum, value) => sum + value * value, 0);
export const ellipsoid: Objective = (x) =>
  x.reduce((sum, value, i) => sum + 10 ** ((6 * i) / Math.max(1, x.length - 1)) * value ** 2, 0);
export const rastrigin: Objective = (x) =>
  x.reduce((sum, value) => sum + value * value + 10 - 10 * Math.cos(2 * Math.PI * value), 0);

export function start(dimension: number, options: Partial<CmaOptions> = {}): CmaOptions {
  return { dimension, x0: new Array<number>(dimension).fill(1), sigma0: 0.5, seed: 11, ...options };
}

export function candidates(es: CmaEs | RestartedCmaEs): Float64Array[] {
  const population = es.ask();
  const d = es.dimension;
  return Array.from({ length: es.popsize }, (_, k) => population.slice(k * d, (k + 1) * d));
}

export const running = (es: CmaEs | RestartedCmaEs): boolean => Object.keys(es.stop()).length === 0;

export function advance<Search extends CmaEs | RestartedCmaEs>(
  es: Search,
  objective: Objective,
  generations: number,
): Search {
  for (let g = 0; g < generations && running(es); g++) es.tell(candidates(es).map(objective));
  return es;
}

export function optimise(options: CmaOptions, objective: Objective): CmaEs {
  return advance(CmaEs.create(module, options), objective, Infinity);
}

export function refusal(act: () => unknown): KernelInputError {
  try {
    act();
  } catch (error) {
    if (error instanceof KernelInputError) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
}

export const seeds = (count: number): number[] => Array.from({ length: count }, (_, k) => k + 1);

/** The bytes after a run that was interrupted before and after every ask, and those of a run that was not. */
export function interrupted(
  options: CmaOptions,
  objective: Objective,
  generations: number,
  disturb: (es: CmaEs, generation: number) => void = () => undefined,
): { whole: Uint8Array; pieces: Uint8Array } {
  const whole = CmaEs.create(module, options);
  let pieces = CmaEs.create(module, options);
  for (let g = 0; g < generations; g++) {
    disturb(whole, g);
    disturb(pieces, g);
    whole.tell(candidates(whole).map(objective));
    pieces = CmaEs.resume(module, pieces.snapshot());
    pieces.ask();
    pieces = CmaEs.resume(module, pieces.snapshot());
    pieces.tell(candidates(pieces).map(objective));
  }
  return { whole: whole.snapshot(), pieces: pieces.snapshot() };
}
