/**
 * Compiles `kernels/index.as.ts` to `kernels/build/kernels.wasm` and writes its sha-256 to `kernels/build/digest.json`; gathers
 * the shaders in `kernels/build/shaders.ts`.
 *
 * Nothing is done when the sources, the compiler and this script are what they were at the last build, so every other
 * script may call it first. Files are replaced by rename: a reader never sees half a binary.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { shaderTable } from './lib/shaders.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const kernels = join(root, 'kernels');
const build = join(kernels, 'build');

/**
 * `--use abort=` turns assertion failures into traps, so that the binary imports nothing. `--noAssert` and the stub
 * runtime keep the hot loops free of checks: inputs are checked in TypeScript before they reach the binary.
 */
const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--use', 'abort='];

async function assemblyScriptSources() {
  const entries = await readdir(kernels, { recursive: true });
  return entries.filter((entry) => entry.endsWith('.as.ts')).sort();
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function sourceHash(sources) {
  const hash = createHash('sha256');
  hash.update(await readFile(fileURLToPath(import.meta.url)));
  hash.update(await readFile(fileURLToPath(new URL('../node_modules/assemblyscript/package.json', import.meta.url))));
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
  let binary;
  const { error, stderr } = await asc.main(
    ['kernels/index.as.ts', '--baseDir', '.', '--outFile', 'kernels.wasm', '--noColors', ...flags],
    {
      readFile: (name, base) => readFile(join(root, base ?? '.', name), 'utf8').catch(() => null),
      listFiles: () => [],
      writeFile: (name, content) => {
        if (name.endsWith('.wasm')) binary = content;
      },
    },
  );
  const messages = stderr.toString();
  if (error !== null || binary === undefined) {
    throw new Error(`The kernels do not compile.\n${messages}${error?.message ?? ''}`);
  }
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
