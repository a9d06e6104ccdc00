import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Answer } from '../program/answer.ts';
import { kernelBytes } from '../pinned.ts';
import { startChild, versionOf } from './child.ts';
import { Engine } from './engine.ts';
import { bundle } from './program.ts';

const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "conformance", worker = (
    modules = [
      (name = "worker.js", esModule = embed "worker.js"),
      (name = "kernels.wasm", wasm = embed "kernels.wasm"),
    ],
    compatibilityDate = "2026-04-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "conformance")],
);
`;

/** The port, from the line of JSON that workerd writes on its control pipe for each socket that it has opened. */
function portOf(control: Readable): Promise<number> {
  return new Promise((resolve) => {
    let text = '';
    control.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const port = /"port":\s*(\d+)/.exec(text)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
}

export async function openWorkerd(): Promise<Engine> {
  const command = (createRequire(import.meta.url)('workerd') as { default: string }).default;
  const prepare = async (folder: string) => {
    await writeFile(join(folder, 'worker.js'), await bundle('worker'));
    await writeFile(join(folder, 'kernels.wasm'), await kernelBytes());
    await writeFile(join(folder, 'config.capnp'), CONFIG);
    return { args: ['serve', '--control-fd=3', join(folder, 'config.capnp'), 'config'], control: true };
  };
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  failed.catch(() => undefined);
  const child = await startChild(command, prepare, (error) => fail(error));
  const port = await Promise.race([portOf(child.process.stdio[3] as Readable), failed]);
  return new Engine('workerd', await versionOf(command), {
    ask: async (question) => {
      const request = { method: 'POST', body: JSON.stringify(question) };
      const response = await fetch(`http://127.0.0.1:${port}/`, request);
      if (!response.ok) throw new Error(`workerd answered ${response.status}: ${await response.text()}`);
      return (await response.json()) as Answer;
    },
    close: () => child.stop(),
  });
}
