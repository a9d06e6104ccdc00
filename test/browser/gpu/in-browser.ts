import { compileKernels } from '#kernels';
import { scenarios } from './scenarios.ts';
import type { ScenarioName } from './scenarios.ts';

/** Runs in a page and in a Web Worker alike; the page asks for it by this name, the worker by a message. */
async function runScenario(name: ScenarioName): Promise<object> {
  const response = await fetch('/kernels.wasm');
  const kernels = await compileKernels(new Uint8Array(await response.arrayBuffer()));
  return scenarios[name](navigator.gpu, kernels);
}

Object.assign(globalThis, { runScenario });
globalThis.addEventListener('message', ({ data }: MessageEvent<ScenarioName>) => {
  runScenario(data).then(
    (result) => globalThis.postMessage({ result }),
    (error: unknown) => globalThis.postMessage({ error: String(error) }),
  );
});
