import type { Browser, Page } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { states } from '../../client/volunteer/gallery/states.ts';
import { launchChromium } from './support/browser.ts';

let server: ViteDevServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  const root = fileURLToPath(new URL('../../client/volunteer', import.meta.url));
  [server, browser] = await Promise.all([
    createServer({
      root,
      configFile: `${root}/vite.config.ts`,
      logLevel: 'error',
      server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
    }),
    launchChromium(),
  ]);
  await server.listen();
  page = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage();
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

/** Runs in the page: texts that are too faint on what is behind them (WCAG 2.2, 1.4.3: 4.5 to 1, large text 3 to 1). */
function faintTexts(): string[] {
  const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (colour: string): number[] => {
    if (!probe) return [];
    probe.clearRect(0, 0, 1, 1);
    probe.fillStyle = colour;
    probe.fillRect(0, 0, 1, 1);
    return [...probe.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (channels: number[]) => {
    const [r = 0, g = 0, b = 0] = channels.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element: Element | null): number[] => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  return [...document.querySelectorAll('body *')].flatMap((element) => {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3 && node.textContent?.trim());
    const disabled = element.closest(':disabled, .unavailable');
    if (text.length === 0 || disabled || element.closest('svg')) return [];
    const style = getComputedStyle(element);
    const [a, b] = [luminance(rgb(style.color)), luminance(behind(element))].sort((x, y) => y - x) as [number, number];
    const large =
      parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    return (a + 0.05) / (b + 0.05) < (large ? 3 : 4.5) ? [element.textContent] : [];
  });
}

async function show(name: string): Promise<void> {
  await page.goto(`${server.resolvedUrls?.local[0] ?? ''}gallery/index.html?state=${name}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
}

/** Runs in the page: what is wrong with its layout and its names. */
function faultsOfLayout(): string[] {
  const overflow = document.documentElement.scrollWidth - innerWidth;
  const headlines = document.querySelectorAll('h1').length;
  const nameless = [...document.querySelectorAll('input, button, progress:not([aria-hidden])')].filter((element) => {
    const labelled = (element as HTMLInputElement).labels?.length ?? 0;
    return labelled === 0 && !element.textContent.trim() && !element.getAttribute('aria-label');
  });
  return [
    ...(overflow > 0 ? [`${overflow} px too wide`] : []),
    ...(headlines === 1 ? [] : [`${headlines} headlines`]),
    ...nameless.map((element) => `without a name: ${element.outerHTML}`),
  ];
}

const layouts = [
  { name: 'phone', viewport: { width: 390, height: 844 } },
  { name: 'narrow phone', viewport: { width: 320, height: 640 } },
  { name: 'desktop', viewport: { width: 1280, height: 800 } },
];

describe('every state of the page', () => {
  it.each(Object.keys(states))('%s fits phone and desktop and can be read by day and by night', async (name) => {
    await show(name);
    const findings: string[] = [];
    for (const layout of layouts) {
      await page.setViewportSize(layout.viewport);
      const faults = await page.evaluate(faultsOfLayout);
      findings.push(...faults.map((fault) => `${layout.name}: ${fault}`));
    }
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const faint = await page.evaluate(faintTexts);
      findings.push(...faint.map((text) => `${colorScheme}: too faint: ${text}`));
    }
    expect(findings).toEqual([]);
  });

  it('running stands still for people who asked for less motion', async () => {
    await show('running');
    const moving = await page.evaluate(() => document.getAnimations().length);
    expect(moving).toBe(0);
  });
});
