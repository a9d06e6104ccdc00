import { fileURLToPath } from 'node:url';

/** A path from the project's root. Every program that has this in it lies two folders below. */
export const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
