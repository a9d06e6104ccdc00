/**
 * Compiles `kernels/index.as.ts` to `kernels/build/kernels.wasm`, unless its results could depend on the engine, and writes its
 * sha-256 to `kernels/build/digest.json`; gathers the shaders in `kernels/build/shaders.ts`.
 *
 * Nothing is done when the sources, the compiler and this script are what they were at the last build, so every other
 * script may call it first. Files are replaced by rename: a reader never sees half a binary.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileKernels } from './lib/compile-kernels.mjs';
import { shaderTable } from './lib/shaders.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const kernels = join(root, 'kernels');
const build = join(kernels, 'build');

/** What decides on the binary besides the sources. */
const tools = [
  fileURLToPath(import.meta.url),
  ...['compile-kernels.mjs', 'kernel-rules.mjs', 'wasm.mjs'].map((name) => join(root, 'scripts', 'lib', name)),
  join(root, 'node_modules', 'assemblyscript', 'package.json'),
];

async function assemblyScriptSources() {
  const entries = await readdir(kernels, { recursive: true });
  return entries.filter((entry) => entry.endsWith('.as.ts')).sort();
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function sourceHash(sources) {
  const hash = createHash('sha256');
  for (const tool of tools) hash.update(await readFile(tool));
  for (const source of sources) {
    hash.update(`\0${source.split(sep).join('/')}\0`);
    hash.update(await readFile(join(kernels, source)));
  }
  return hash.digest('hex');
}

async function readJson(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

async function isFresh(hash) {
  const stamp = await readJson(join(build, 'stamp.json'));
  const digest = await readJson(join(build, 'digest.json'));
  if (stamp?.sources !== hash || digest === undefined) return false;
  try {
    return sha256(await readFile(join(build, 'kernels.wasm'))) === digest.digest;
  } catch {
    return false;
  }
}

async function replaceFile(name, content) {
  const temporary = join(build, `${name}.${process.pid}.tmp`);
  await writeFile(temporary, content);
  await rename(temporary, join(build, name));
}

async function compile() {
  const readSource = (name, base) => readFile(join(root, base ?? '.', name), 'utf8').catch(() => null);
  const { binary, messages } = await compileKernels('kernels/index.as.ts', readSource);
  if (messages !== '') process.stderr.write(messages);
  return binary;
}

/** Shaders are compiled by the device that runs them; here they only become importable. */
async function writeShaders() {
  const table = await shaderTable(kernels);
  const present = await readFile(join(build, 'shaders.ts'), 'utf8').catch(() => '');
  if (table !== present) await replaceFile('shaders.ts', table);
}

await mkdir(build, { recursive: true });
await writeShaders();
const hash = await sourceHash(await assemblyScriptSources());
if (!(await isFresh(hash))) {
  const binary = await compile();
  const digest = sha256(binary);
  await replaceFile('kernels.wasm', binary);
  await replaceFile('digest.json', `${JSON.stringify({ digest })}\n`);
  await replaceFile('stamp.json', `${JSON.stringify({ sources: hash })}\n`);
  console.log(`${relative(root, join(build, 'kernels.wasm'))}: ${binary.length} bytes, digest ${digest}`);
}
