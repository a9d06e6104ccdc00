import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { CommandError } from '../lib/errors.ts';

/** What the build says of the edge bundle: wrangler.toml’s own words. */
const manifestSchema = z.object({
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
  main: z.string(),
  /** File names in the bundle’s folder. */
  modules: z.array(z.string()),
  durable_objects: z.array(z.object({ binding: z.string(), class_name: z.string() })),
});
export type EdgeManifest = z.infer<typeof manifestSchema>;

/** Where the build has put what `serve` and `worker` run from. */
export interface Built {
  readonly edge: string;
  readonly pages: string;
  readonly node: string;
}

/** This file is bundled into `dist/node/cli.js`. */
export const built: Built = {
  edge: fileURLToPath(new URL('../edge', import.meta.url)),
  pages: fileURLToPath(new URL('../pages', import.meta.url)),
  node: fileURLToPath(new URL('.', import.meta.url)),
};

/** @throws CommandError where the product has not been built. */
export async function readManifest(edgeFolder: string): Promise<EdgeManifest> {
  let text: string;
  try {
    text = await readFile(join(edgeFolder, 'manifest.json'), 'utf8');
  } catch {
    throw new CommandError(`${edgeFolder} is not built: run \`npm run build\` first`);
  }
  return manifestSchema.parse(JSON.parse(text));
}
