import { acquisitionCases } from './acquisition.ts';
import { bbobCases } from './bbob.ts';
import { calibrationCases } from './calibration.ts';
import type { KernelCases } from './case.ts';
import { cmaEsCases } from './cma-es.ts';
import { csvCases } from './csv.ts';
import { forestCases } from './forest.ts';
import { gpCases } from './gp.ts';
import { mathCases } from './math.ts';
import { mlpCases } from './mlp.ts';
import { paretoCases } from './pareto.ts';
import { rngCases } from './rng.ts';
import { validationCases } from './validation.ts';

export type { KernelCases, Part, PlainCase, ResumableCase, Run } from './case.ts';

/** Every kernel's cases: a file beside this one and a line here. */
export const kernels: Readonly<Record<string, KernelCases>> = {
  acquisition: acquisitionCases,
  bbob: bbobCases,
  calibration: calibrationCases,
  'cma-es': cmaEsCases,
  csv: csvCases,
  forest: forestCases,
  gp: gpCases,
  math: mathCases,
  mlp: mlpCases,
  pareto: paretoCases,
  rng: rngCases,
  validation: validationCases,
};
