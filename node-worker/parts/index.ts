import type { Component } from '../components/component.ts';
import { bodies } from './bodies.ts';
import { evaluation } from './evaluation.ts';
import { evaluators } from './evaluators.ts';
import { executor } from './executor.ts';
import { files } from './files.ts';
import { gpu } from './gpu.ts';
import { kernels } from './kernels.ts';
import { redis } from './redis.ts';
import { session } from './session.ts';
import { threads } from './threads.ts';

/** What every Node worker consists of. */
export const standardComponents: readonly Component[] = [
  kernels,
  bodies,
  evaluators,
  files,
  evaluation,
  redis,
  threads,
  gpu,
  executor,
  session,
];
