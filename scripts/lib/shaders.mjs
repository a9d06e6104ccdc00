/**
 * Makes the text of `kernels/build/shaders.ts` from all `kernels/**.wgsl`: a table from a shader's path without ending to its
 * text. TypeScript, Vite, esbuild and vitest then read it like any module.
 *
 * A line `// include: rng/philox.wgsl` (a path from `kernels/`) stands for that file; a file comes in once, however often it is
 * asked for. WGSL itself has no includes.
 */
import { readFile, readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';

const includeLine = /^\/\/ include: (\S+)$/gm;

/** @param sources a Map from path to text. */
export function expand(name, sources, seen = new Set()) {
  const text = sources.get(name);
  if (text === undefined) throw new Error(`There is no shader kernels/${name}.`);
  seen.add(name);
  return text.replace(includeLine, (_, included) => (seen.has(included) ? '' : expand(included, sources, seen)));
}

export async function shaderTable(kernels) {
  const entries = await readdir(kernels, { recursive: true });
  const names = entries
    .filter((entry) => entry.endsWith('.wgsl'))
    .map((entry) => entry.split(sep).join('/'))
    .sort();
  const texts = await Promise.all(names.map((name) => readFile(join(kernels, name), 'utf8')));
  const sources = new Map(names.map((name, index) => [name, texts[index]]));
  // A file without an entry point is there to be included.
  const programs = names.filter((name) => sources.get(name).includes('@compute'));
  const lines = programs.map(
    (name) => `  ${JSON.stringify(name.slice(0, -5))}: ${JSON.stringify(expand(name, sources))},`,
  );
  return `/** Made from kernels/**.wgsl by scripts/build-kernels.mjs. */
export const shaders = {
${lines.join('\n')}
} as const;

export type ShaderName = keyof typeof shaders;
`;
}
