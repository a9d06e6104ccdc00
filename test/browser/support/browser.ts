import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** A name for this machine that is not `localhost`, so that Chromium takes `http://` there for what it is: no secure context. */
export const plainHost = 'grid.test';

/** Starts Chromium without any talk to the outside. @param further arguments on its command line */
export async function launchChromium(further: readonly string[] = []): Promise<Browser> {
  if (executablePath === undefined) throw new Error('Chromium is missing: run "npm run setup".');
  return chromium.launch({
    executablePath,
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=MAP ${plainHost} 127.0.0.1`,
      ...further,
    ],
  });
}

/** A tab and all that went wrong in it. */
export interface Tab {
  context: BrowserContext;
  page: Page;
  /** Addresses that it asked for, sockets included. */
  addresses: string[];
  /** Errors on the console or thrown, and violations of the content security policy. */
  faults: string[];
}

export interface TabOptions {
  /** What the browser says it has. */
  cores?: number;
  /** Runs in the page before anything else does. */
  before?: () => void;
}

/** Opens a tab in a profile of its own. */
export async function openTab(browser: Browser, url: string, { cores = 4, before }: TabOptions = {}): Promise<Tab> {
  const context = await browser.newContext();
  const faults: string[] = [];
  const addresses: string[] = [];
  context.on('request', (request) => addresses.push(request.url()));
  const page = await context.newPage();
  page.on('websocket', (socket) => addresses.push(socket.url()));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      faults.push(`${message.text()} (${message.location().url})`);
  });
  await page.addInitScript((count) => {
    Object.defineProperty(navigator, 'hardwareConcurrency', { value: count });
  }, cores);
  if (before) await page.addInitScript(before);
  await page.goto(url);
  await page.getByRole('heading', { level: 1 }).waitFor();
  return { context, page, addresses, faults };
}

export async function begin({ page }: Tab, cores: number): Promise<void> {
  await page.getByRole('slider').fill(String(cores));
  await page.getByRole('button', { name: /^Begin/ }).click();
}

/** Waits until the page says so. */
export async function shows({ page }: Tab, words: string | RegExp): Promise<void> {
  await page.getByText(words).first().waitFor();
}

/** The name under which the tab stands in the worker table. */
export async function headlineOf({ page }: Tab): Promise<string> {
  return (await page.getByRole('heading', { level: 1 }).textContent()) ?? '';
}
