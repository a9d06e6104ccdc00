import { bbob } from '../../../kernels/bbob/index.ts';
import type { KernelCases } from './case.ts';
import { uniform } from './data.ts';

const COUNT = 10;

function allFunctions(module: WebAssembly.Module, dimension: number): Float64Array[] {
  const points = uniform(COUNT * dimension, -6, 6, 9);
  return Array.from({ length: 24 }, (_, i) =>
    bbob(module, { function: i + 1, instance: i + 4, dimension }).evaluateMany(points, COUNT),
  );
}

export const bbobCases: KernelCases = {
  'f1 to f24, d = 2': (module) => allFunctions(module, 2),
  'f1 to f24, d = 5': (module) => allFunctions(module, 5),
  'f1 to f24, d = 40': (module) => allFunctions(module, 40),
  'points that are not finite': (module) => {
    const points = Float64Array.of(0 / 0, 1, Infinity, -Infinity, 1e300, -1e300);
    return Array.from({ length: 24 }, (_, i) =>
      bbob(module, { function: i + 1, instance: 1, dimension: 2 }).evaluateMany(points, 3),
    );
  },
};
