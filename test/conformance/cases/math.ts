import { instantiate, math } from '../../../kernels/index.ts';
import type { MathExports } from '../../../kernels/index.ts';
import type { KernelCases } from './case.ts';

/** Arguments of many magnitudes. */
const ARGUMENTS = Array.from({ length: 1201 }, (_, i) => (i - 600) * 0.0917);
/** Where most functions have an edge, or no value. */
const EDGES = [0, -0, 1, -1, 0.5, 2, 710, -746, 1e-320, 1e300, -1e300, Infinity, -Infinity, NaN];

function everyFunction(f: MathExports, x: number): number[] {
  const positive = Math.abs(x) + 0.001;
  return [
    ...[f.exp(x), f.expm1(x), f.sin(x), f.cos(x), f.tanh(x), f.erf(x), f.erfc(x)],
    ...[f.log(positive), f.log1p(positive), f.log2(positive), f.log10(positive), f.pow(positive, 1.37)],
    ...[f.normalPdf(x), f.normalCdf(x), f.logNormalCdf(x)],
  ];
}

export const mathCases: KernelCases = {
  'every function': (module) => {
    const f = math(instantiate(module));
    return [ARGUMENTS.flatMap((x) => everyFunction(f, x))];
  },
  'at the edges': (module) => {
    const f = math(instantiate(module));
    return [EDGES.flatMap((x) => everyFunction(f, x))];
  },
  'normal quantiles': (module) => {
    const f = math(instantiate(module));
    return [Array.from({ length: 1201 }, (_, i) => f.normalQuantile((i + 1) / 1202))];
  },
};
