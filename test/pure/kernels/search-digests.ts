/**
 * Digests of what the search kernels compute, by the kernels' own functions alone. They are the same on every engine and
 * processor; nothing here needs Node.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { bbob, builtin } from '../../../kernels/bbob/index.ts';
import type { TestFunction } from '../../../kernels/bbob/index.ts';
import { RestartedCmaEs } from '../../../kernels/cma-es/index.ts';
import type { CmaOptions } from '../../../kernels/cma-es/index.ts';
import { paretoSummary } from '../../../kernels/pareto/index.ts';
import { Rng } from '../../../kernels/rng/index.ts';

const digest = (bytes: Uint8Array): string => bytesToHex(sha256(bytes));

function bbobDigest(module: WebAssembly.Module): string {
  const rng = new Rng(9);
  const values: number[] = [];
  for (const dimension of [2, 5, 40]) {
    const points = Float64Array.from({ length: 10 * dimension }, () => 12 * rng.uniform() - 6);
    for (let id = 1; id <= 24; id++) {
      values.push(...bbob(module, { function: id, instance: id + 3, dimension }).evaluateMany(points, 10));
    }
  }
  return digest(new Uint8Array(Float64Array.from(values).buffer));
}

/** The snapshot after a search, which has every number of its state. */
function searchDigest(module: WebAssembly.Module, problem: TestFunction, options: Partial<CmaOptions> = {}): string {
  const { dimension } = problem;
  const x0 = Array.from({ length: dimension }, (_, i) => 0.3 + 0.1 * i);
  const run = { dimension, x0, sigma0: 1.5, seed: 2 ** 40 + 7, ...options };
  const es = RestartedCmaEs.create(module, run, { restarts: 'bipop', maxEvaluations: 8000 });
  while (Object.keys(es.stop()).length === 0) es.tell(problem.evaluateMany(es.ask(), es.popsize));
  return digest(es.snapshot());
}

function paretoDigest(): string {
  const rng = new Rng(4);
  const points = Array.from({ length: 60 }, () => Array.from({ length: 4 }, () => rng.uniform()));
  return digest(new TextEncoder().encode(JSON.stringify(paretoSummary(points, ['min', 'max', 'min', 'max']))));
}

export function searchDigests(module: WebAssembly.Module): Record<string, string> {
  return {
    bbob: bbobDigest(module),
    'cma-es': searchDigest(module, bbob(module, { function: 15, instance: 1, dimension: 5 })),
    'cma-es-bounds': searchDigest(module, builtin(module, 'levy', 12), { bounds: { lower: -1, upper: 2 } }),
    'cma-es-large': searchDigest(module, builtin(module, 'ellipsoid', 31), { popsize: 41 }),
    'cma-es-diagonal': searchDigest(module, builtin(module, 'rastrigin', 9), { CMA_diagonal: 30 }),
    pareto: paretoDigest(),
  };
}
