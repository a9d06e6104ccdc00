import { ESLint } from 'eslint';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const eslint = new ESLint({ cwd: root });

/** Lints lines as if they stood in `filePath`; gives those at which something is wrong for the sake of equal bits. */
async function refused(filePath: string, lines: readonly string[]): Promise<string[]> {
  const [result] = await eslint.lintText(lines.join('\n'), { filePath: `${root}${filePath}` });
  const rules = /^no-restricted-|require-array-sort-compare$/;
  const found = new Set(result?.messages.filter(({ ruleId }) => rules.test(ruleId ?? '')).map(({ line }) => line - 1));
  return lines.filter((_, index) => found.has(index));
}

const hostMathematics = [
  'export const a = Math.exp(1);',
  'export const b = 2 ** 0.5;',
  'export let c = 2; c **= 0.5;',
  "export const d = Math['exp'](1);",
  'export const { exp: e } = Math;',
  'const f = Math; export const g = f.exp(1);',
  'export const h = globalThis.Math.exp(1);',
  "export const i = globalThis['Math'].exp(1);",
  'export const j = [1, 2].map(Math.exp);',
  'export const k = Reflect.get(Math, "exp") as unknown;',
  'export const l = ((m: Math) => m.exp(1))(self.Math);',
  'export const n = Math.random();',
];

const languageAndOrder = [
  'export const a = [10, 9].sort();',
  'export const b = [10, 9].toSorted();',
  'export const c = (0.5).toFixed(1);',
  'export const d = (0.5).toLocaleString();',
  "export const e = 'a'.localeCompare('b');",
  'export const f = new Intl.NumberFormat();',
  'export const g = (0.1).toString(3);',
  "import { h } from './reference.ts'; export { h };",
];

const ambient = [
  'export const a = Date.now();',
  'export const b = new Date();',
  'export const c = performance.now();',
  'export const d = crypto.randomUUID();',
];

const harmless = [
  'export const a = Math.sqrt(Math.max(1, Math.abs(2)));',
  'export const b = Math.imul(3, 5) + Math.fround(1) + Math.floor(1.5) + Math.PI;',
  'export const c = [10, 9].sort((x, y) => x - y);',
  'export const d = Float64Array.of(10, 9).sort();',
  'export const e = String(0.5) + JSON.stringify(0.5) + (5).toString();',
  'export const f = [...new Map([[1, 2]]), ...new Set([3])];',
];

describe.each([
  ['kernels/pareto/ranks.ts', [...hostMathematics, ...languageAndOrder, ...ambient]],
  ['test/conformance/cases/pareto.ts', [...hostMathematics, ...languageAndOrder, ...ambient]],
  ['client/worker/tasks/models/data.ts', [...hostMathematics, ...languageAndOrder]],
  ['edge/campaign/core/validation.ts', [...hostMathematics, ...languageAndOrder]],
  ['edge/tasks/executor.ts', [...hostMathematics, ...languageAndOrder]],
])('in %s', (path, forbidden) => {
  it('lint refuses what engines do not agree about, and takes the rest', async () => {
    expect(await refused(path, [...forbidden, ...harmless])).toEqual(forbidden);
  });
});
