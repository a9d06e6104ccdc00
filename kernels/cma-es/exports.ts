import type { Pointer } from '../runtime/index.ts';

/** Functions of cma-es.as.ts; `run` is the address of a run's block. */
export interface CmaExports {
  cmaBytes(d: number, lambda: number, kind: number): number;
  cmaPlace(run: Pointer, d: number, lambda: number, kind: number): void;
  cmaPart(run: Pointer, part: number): Pointer;
  cmaBegin(run: Pointer, sigma0: number, mu: number, bounded: number, pairs: number, elitist: number): void;
  cmaSettle(run: Pointer): number;
  cmaAsk(run: Pointer): void;
  cmaAdmit(run: Pointer, k: number): void;
  cmaSteer(run: Pointer, k: number): void;
  cmaRank(run: Pointer): number;
  cmaTell(run: Pointer): void;
  cmaAnchor(run: Pointer): void;
  cmaMean(run: Pointer): void;
  cmaDecompose(a: Pointer, e: Pointer, values: Pointer, work: Pointer, n: number, ld: number): number;
}
