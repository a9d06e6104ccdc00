import { fileURLToPath } from 'node:url';

/** A file that the build puts beside the running bundle. */
export function besideBundle(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
