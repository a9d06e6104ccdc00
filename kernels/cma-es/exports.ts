import type { Pointer } from '../runtime/index.ts';

/** Functions of cma-es.as.ts; `run` is the address of a run's block. */
export interface CmaExports {
  cmaBytes(d: number, lambda: number, diagonal: number): number;
  cmaPlace(run: Pointer, d: number, lambda: number, diagonal: number): void;
  cmaPart(run: Pointer, part: number): Pointer;
  cmaBegin(run: Pointer, sigma0: number, mu: number, bounded: number): void;
  cmaAsk(run: Pointer): void;
  cmaTell(run: Pointer): void;
  cmaAnchor(run: Pointer): void;
  cmaMean(run: Pointer): void;
  cmaDecompose(a: Pointer, e: Pointer, values: Pointer, work: Pointer, n: number, ld: number): number;
}
