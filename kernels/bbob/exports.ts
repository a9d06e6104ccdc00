import type { Pointer } from '../runtime/index.ts';

/** Functions of bbob.as.ts; `problem` is what `bbobNew` gave. */
export interface BbobExports {
  bbobNew(id: number, instance: number, d: number): Pointer;
  bbobFopt(problem: Pointer): number;
  bbobXopt(problem: Pointer): Pointer;
  bbobEvaluate(problem: Pointer, x: Pointer, rows: number, out: Pointer): void;
  bbobBuiltin(id: number, x: Pointer, rows: number, d: number, out: Pointer): void;
}
