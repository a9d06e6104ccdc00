import { CmaEs } from '#kernels/cma-es';
import { median } from '../lib/line.ts';
import { cpuSeconds } from './clock.ts';

function sphere(x: Float64Array, from: number, dimension: number): number {
  let sum = 0;
  for (let i = from; i < from + dimension; i++) {
    const xi = x[i] ?? NaN;
    sum += xi * xi;
  }
  return sum;
}

/** A search with the default λ, to 1e-12. */
function search(module: WebAssembly.Module, dimension: number, seed: number): CmaEs {
  const x0 = Array.from({ length: dimension }, () => 1);
  return CmaEs.create(module, { dimension, x0, sigma0: 0.5, seed, ftarget: 1e-12 });
}

/** Asks, evaluates, tells and asks whether to stop, to the end. */
function exhaust(es: CmaEs): void {
  const { dimension, popsize } = es;
  const x = new Float64Array(popsize * dimension);
  const values = new Float64Array(popsize);
  do {
    es.ask(x);
    for (let k = 0; k < popsize; k++) values[k] = sphere(x, k * dimension, dimension);
    es.tell(values);
  } while (Object.keys(es.stop()).length === 0);
}

/**
 * Microseconds of processor time for one evaluation of the sphere, that evaluation included: the median of `repeats`
 * measurements, each of as many whole searches as make up about `evaluations`. Their beginnings are not measured.
 */
export function cmaMicroseconds(
  module: WebAssembly.Module,
  dimension: number,
  evaluations: number,
  repeats: number,
): number {
  const first = search(module, dimension, 0);
  exhaust(first);
  const count = Math.ceil(evaluations / first.evaluations);
  const measure = (repeat: number): number => {
    const searches = Array.from({ length: count }, (_, k) => search(module, dimension, 1 + repeat * count + k));
    const begin = cpuSeconds();
    for (const es of searches) exhaust(es);
    const seconds = cpuSeconds() - begin;
    return (1e6 * seconds) / searches.reduce((sum, es) => sum + es.evaluations, 0);
  };
  measure(0);
  return median(Array.from({ length: repeats }, (_, k) => measure(k + 1)));
}
