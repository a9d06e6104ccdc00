import asc from 'assemblyscript/asc';
import { kernelFaults } from './kernel-rules.mjs';

/**
 * `--use abort=` turns assertion failures into traps, so that the binary imports nothing. `--noAssert` and the stub
 * runtime keep the hot loops free of checks: inputs are checked in TypeScript before they reach the binary.
 */
const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--use', 'abort='];

/**
 * Compiles AssemblyScript as all kernels are compiled.
 *
 * @param entry name of the source to begin with.
 * @param readSource gives the text of a source by its name, null when there is none.
 * @returns the binary and the compiler's warnings.
 * @throws Error when it does not compile, or when the binary's results could depend on the engine.
 */
export async function compileKernels(entry, readSource) {
  let binary;
  const { error, stderr } = await asc.main(
    [entry, '--baseDir', '.', '--outFile', 'kernels.wasm', '--noColors', ...flags],
    {
      readFile: readSource,
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
  const faults = kernelFaults(binary);
  if (faults.length > 0) throw new Error(`The kernels would not be the same everywhere.\n${faults.join('\n')}`);
  return { binary, messages };
}
