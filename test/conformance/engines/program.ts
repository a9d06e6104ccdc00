import { build } from 'esbuild';
import { fromRoot } from '../paths.ts';

/** One program of `test/conformance/program/` as an ECMAScript module; fails when something in it needs more than any engine has. */
export async function bundle(name: 'pull' | 'worker'): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: fromRoot(''),
    entryPoints: [fromRoot(`test/conformance/program/${name}.ts`)],
    bundle: true,
    write: false,
    platform: 'neutral',
    format: 'esm',
    target: 'es2022',
    external: ['./kernels.wasm'],
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}
