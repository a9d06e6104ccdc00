import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { softwareGpuEnvironment } from '../../../node-worker/gpu.ts';
import type { ScenarioName } from '../gpu/scenarios.ts';
import { launchChromium } from './browser.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const kernelsFile = join(root, 'kernels', 'build', 'kernels.wasm');

/** The software adapter: the same in Node as in the browser, on any machine. */
const softwareGpu = softwareGpuEnvironment();

/** Where scenarios run. */
export const places = ['Node', 'page', 'Web Worker'] as const;
export type Place = (typeof places)[number];

/** A page only has WebGPU where the context is secure, which localhost is. All its requests are answered here. */
const origin = 'http://localhost';

/** Runs scenarios on the software adapter, in Node and in Chromium, and lets them say what they found. */
export class GpuPlaces {
  readonly #folder: string;
  readonly #browser: Browser;
  readonly #page: Page;

  private constructor(folder: string, browser: Browser, page: Page) {
    this.#folder = folder;
    this.#browser = browser;
    this.#page = page;
  }

  static async open(): Promise<GpuPlaces> {
    if (softwareGpu === undefined) throw new Error('Chromium’s SwiftShader is missing: run "npm run setup".');
    const folder = await bundleScenarios();
    const browser = await launchChromium(['--enable-unsafe-webgpu']);
    const page = await openPage(browser, folder);
    return new GpuPlaces(folder, browser, page);
  }

  async run(place: Place, scenario: ScenarioName): Promise<unknown> {
    switch (place) {
      case 'Node':
        return this.#inNode(scenario);
      case 'page':
        return this.#page.evaluate(`runScenario(${JSON.stringify(scenario)})`);
      case 'Web Worker':
        return this.#page.evaluate(inWorker, scenario);
    }
  }

  /** A process of its own: the driver is named by its environment, and Dawn may take it down. */
  async #inNode(scenario: ScenarioName): Promise<unknown> {
    const env = { ...process.env, ...softwareGpu };
    const file = join(this.#folder, 'in-node.js');
    const { stdout } = await promisify(execFile)(process.execPath, [file, kernelsFile, scenario], {
      env,
      maxBuffer: 64 << 20,
    });
    // Dawn prints faults there too, before.
    return JSON.parse(stdout.split('\n').at(-1) ?? '');
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await rm(this.#folder, { recursive: true });
  }
}

/** Bundles the scenarios as they are now into a folder from where packages can still be found. */
async function bundleScenarios(): Promise<string> {
  const cache = join(root, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'tabgrid-gpu-'));
  const shared = { absWorkingDir: root, outdir: folder, bundle: true, format: 'esm', logLevel: 'warning' } as const;
  await build({
    ...shared,
    entryPoints: ['test/browser/gpu/in-node.ts'],
    platform: 'node',
    target: 'node20',
    packages: 'external',
  });
  await build({ ...shared, entryPoints: ['test/browser/gpu/in-browser.ts'], platform: 'browser' });
  return folder;
}

async function openPage(browser: Browser, folder: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  const answers: Record<string, { contentType: string; body: string | Buffer }> = {
    '/': { contentType: 'text/html', body: '<script type="module" src="/in-browser.js"></script>' },
    '/in-browser.js': { contentType: 'text/javascript', body: await readFile(join(folder, 'in-browser.js')) },
    '/kernels.wasm': { contentType: 'application/wasm', body: await readFile(kernelsFile) },
  };
  await page.context().route(`${origin}/**`, async (route) => {
    await route.fulfill(answers[new URL(route.request().url()).pathname] ?? { status: 404 });
  });
  await page.goto(origin);
  return page;
}

/** In the page. */
function inWorker(scenario: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker('/in-browser.js', { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<{ result?: unknown; error?: string }>) => {
      worker.terminate();
      if (data.error === undefined) resolve(data.result);
      else reject(new Error(data.error));
    };
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(scenario);
  });
}
