/** Builds the pages of `client/volunteer` into `dist/pages` with Vite. `scripts/build.mjs` and wrangler's `[build]` call it. */
import { join } from 'node:path';
import { replaceFolder, root, runStep } from './lib/steps.mjs';

const source = 'client/volunteer';

const made = await runStep({
  name: 'pages',
  inputs: [
    source,
    'client/worker',
    'client/sdk',
    'edge/protocol',
    'edge/catalog',
    'kernels',
    'package.json',
    'scripts/build-pages.mjs',
  ],
  output: 'dist/pages/index.html',
  async make() {
    const { build } = await import('vite');
    await replaceFolder('dist/pages', (outDir) =>
      build({
        root: join(root, source),
        configFile: join(root, source, 'vite.config.ts'),
        logLevel: 'warn',
        build: { outDir, emptyOutDir: true },
      }),
    );
  },
});
if (made) console.log('dist/pages: built');
