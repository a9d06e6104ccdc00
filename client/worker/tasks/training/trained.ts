import type { Placement } from '#kernels/mlp/group';
import type { ModelContent, TrainingOptions } from '../models/model-file.ts';
import type { Predictor } from '../models/predictor.ts';

/** What training comes to, whatever kind of model it is. */
export interface Trained {
  readonly content: ModelContent;
  /** Of the same model. */
  readonly predictor: Predictor;
  /** The options that made it, for the file. */
  readonly record: TrainingOptions;
  /** Networks or trees; 1 for a process. */
  readonly members: number;
  /** Per member, where training goes over the rows again and again. */
  readonly epochsRun: number[];
  /** Null where there is none. */
  readonly trainLoss: number | null;
  /** Where it was trained at the end, and why there; only where the task might use a GPU. */
  readonly placement?: Placement;
}
