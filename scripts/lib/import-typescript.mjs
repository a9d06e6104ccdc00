import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { dist, root } from './steps.mjs';

/**
 * Bundles `main.ts` of a folder and gives its module. The bundle is as deep below the root as its source (two folders), so that
 * what the program finds by its own address it finds there too; it goes when this process ends.
 *
 * @param name of the bundle's folder.
 * @param source folder of the program, from the root.
 * @param others further programs of the folder, which the first one starts.
 */
export async function importTypeScript(name, source, others = []) {
  const folder = join(dist, `${name}.${process.pid}`);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await build({
    absWorkingDir: root,
    entryPoints: ['main.ts', ...others].map((file) => join(root, source, file)),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  return import(pathToFileURL(join(folder, 'main.mjs')).href);
}
