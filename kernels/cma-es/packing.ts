import { KernelInputError } from '../runtime/index.ts';
import { stateVectors } from './block.ts';
import type { RunState } from './block.ts';
import type { GuestState } from './guests.ts';
import { SCALAR_COUNT } from './layout.ts';
import type { ResolvedOptions } from './options.ts';
import type { PenaltyState } from './penalty.ts';
import type { TerminationState } from './termination.ts';

/** The arrays of a run's snapshot. */
export interface RunArrays {
  readonly run: RunState;
  readonly guests: GuestState;
  readonly penalty: PenaltyState;
  readonly histories: TerminationState['histories'];
}

export function packArrays({ run, guests, penalty, histories }: RunArrays): Float64Array[] {
  const { scalars, covariance, eigenvectors, drift, vectors } = run;
  const { waiting, present, images } = guests;
  const others = [waiting, present, images, penalty.weights, penalty.spreads];
  return [scalars, covariance, eigenvectors, drift, ...vectors, ...histories, ...others];
}

/** @throws KernelInputError when number or lengths of the arrays are not those of a run with these options. */
export function unpackArrays(
  arrays: readonly ArrayBufferView[],
  options: ResolvedOptions,
  diagonal: boolean,
): RunArrays {
  const { dimension: d, adaptive } = options;
  const expected = `the arrays of a run in ${d} dimensions`;
  const triangle = (d * (d + 1)) / 2;
  const names = stateVectors(options);
  const vectorsFrom = 4;
  const historiesFrom = vectorsFrom + names.length;
  const doubles = arrays.map((array) => {
    if (array instanceof Float64Array) return array;
    throw new KernelInputError('snapshot.arrays', 'doubles', array);
  });
  const take = (index: number, fits: (length: number) => boolean): Float64Array => {
    const array = doubles[index];
    if (array === undefined || !fits(array.length)) throw new KernelInputError('snapshot.arrays', expected, arrays);
    return array;
  };
  const sized = (index: number, length: number): Float64Array => take(index, (found) => found === length);
  const any = (index: number): Float64Array => take(historiesFrom + index, () => true);
  const points = (index: number): Float64Array => take(historiesFrom + index, (length) => length % d === 0);
  if (doubles.length !== historiesFrom + 9) throw new KernelInputError('snapshot.arrays', expected, arrays);
  return {
    run: {
      scalars: sized(0, SCALAR_COUNT),
      covariance: sized(1, diagonal ? d : triangle),
      eigenvectors: sized(2, diagonal ? 0 : d * d),
      drift: sized(3, adaptive ? triangle : 0),
      vectors: names.map((_, k) => sized(vectorsFrom + k, d)),
    },
    histories: [any(0), any(1), any(2), any(3)],
    guests: { waiting: points(4), present: points(5), images: points(6) },
    penalty: { weights: points(7), spreads: any(8) },
  };
}
