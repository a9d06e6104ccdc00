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

/** One search with the default λ: evaluations, and processor seconds of asking, evaluating, telling and stopping. */
function search(module: WebAssembly.Module, dimension: number, seed: number): { evaluations: number; seconds: number } {
  const x0 = Array.from({ length: dimension }, () => 1);
  const es = CmaEs.create(module, { dimension, x0, sigma0: 0.5, seed, ftarget: 1e-12 });
  const values = new Float64Array(es.popsize);
  const begin = cpuSeconds();
  do {
    const x = es.ask();
    for (let k = 0; k < values.length; k++) values[k] = sphere(x, k * dimension, dimension);
    es.tell(values);
  } while (Object.keys(es.stop()).length === 0);
  return { evaluations: es.evaluations, seconds: cpuSeconds() - begin };
}

/**
 * Microseconds of processor time for one evaluation of the sphere, that evaluation included: the median of `repeats`
 * measurements, each of as many whole searches (default λ, to 1e-12) as make up `evaluations`.
 */
export function cmaMicroseconds(
  module: WebAssembly.Module,
  dimension: number,
  evaluations: number,
  repeats: number,
): number {
  let seed = 0;
  const measure = (): number => {
    let count = 0;
    let seconds = 0;
    while (count < evaluations) {
      const found = search(module, dimension, seed++);
      count += found.evaluations;
      seconds += found.seconds;
    }
    return (1e6 * seconds) / count;
  };
  measure();
  return median(Array.from({ length: repeats }, measure));
}
