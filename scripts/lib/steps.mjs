/** Build steps that are skipped while their inputs are what they were at the last build. */
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const dist = join(root, 'dist');

async function filesUnder(path) {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return [];
  if (found.isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** SHA-256 over names and contents of files, folders read through. A path that does not exist counts as empty. */
async function hashOf(paths) {
  const files = (await Promise.all(paths.map((path) => filesUnder(join(root, path))))).flat().sort();
  const hash = createHash('sha256');
  for (const file of files) {
    const content = await readFile(file);
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/**
 * Runs `make` unless `inputs` and `outputs` are as the last run left them.
 * @param step.name names the stamp in `dist/.stamps`.
 * @param step.inputs files and folders, from the root.
 * @param step.output a file or folder, from the root, without which the step is not done.
 * @returns true when something was made.
 */
export async function runStep({ name, inputs, output, make }) {
  const stampPath = join(dist, '.stamps', name);
  const hash = await hashOf([...inputs, 'package-lock.json', 'scripts/lib/steps.mjs']);
  const last = await readFile(stampPath, 'utf8').catch(() => '');
  if (last === hash && existsSync(join(root, output))) return false;
  await rm(stampPath, { force: true });
  await make();
  await mkdir(dirname(stampPath), { recursive: true });
  await writeFile(stampPath, hash);
  return true;
}

/** Lets `fill` write a folder beside the present one, then puts it in its place: a reader finds the old one or the new one. */
export async function replaceFolder(path, fill) {
  const fresh = join(root, `${path}.${process.pid}.new`);
  const old = join(root, `${path}.${process.pid}.old`);
  // At the exit, because a tool’s own uncaught error ends the process without coming back here.
  process.once('exit', () => {
    for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
  });
  await mkdir(fresh, { recursive: true });
  await fill(fresh);
  if (existsSync(join(root, path))) await rename(join(root, path), old);
  await rename(fresh, join(root, path));
}
