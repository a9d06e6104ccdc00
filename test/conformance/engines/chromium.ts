import { launchChromium } from '../../browser/support/browser.ts';
import { Engine } from './engine.ts';
import type { Loopback } from './loopback.ts';

export async function openChromium(loopback: Loopback): Promise<Engine> {
  const browser = await launchChromium();
  const mailbox = loopback.open('chromium');
  browser.once('disconnected', () => mailbox.fail(new Error('Chromium has ended.')));
  const page = await browser.newPage();
  page.on('pageerror', (error) => mailbox.fail(error));
  await page.goto(mailbox.address);
  return new Engine('chromium', browser.version(), {
    ask: (question) => mailbox.ask(question),
    close: () => browser.close(),
  });
}
