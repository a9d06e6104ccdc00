import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { executable, startChild, versionOf } from './child.ts';
import { Engine } from './engine.ts';
import type { Loopback } from './loopback.ts';

/** No talk to the outside, no first-run pages. */
const preferences = {
  'app.normandy.enabled': false,
  'app.update.auto': false,
  'app.update.disabledForTesting': true,
  'browser.aboutwelcome.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.search.update': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.enabled': false,
};

export async function openFirefox(loopback: Loopback): Promise<Engine> {
  const command = executable('Firefox', 'run "npm run setup".', [
    '/usr/bin/firefox-esr',
    '/usr/bin/firefox',
    '/Applications/Firefox.app/Contents/MacOS/firefox',
  ]);
  const mailbox = loopback.open('firefox');
  const prepare = async (profile: string) => {
    const lines = Object.entries(preferences).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
    );
    await writeFile(join(profile, 'user.js'), lines.join(''));
    return { args: ['--headless', '--no-remote', '--profile', profile, mailbox.address] };
  };
  const child = await startChild(command, prepare, (error) => mailbox.fail(error));
  return new Engine('firefox', await versionOf(command), {
    ask: (question) => mailbox.ask(question),
    close: () => child.stop(),
  });
}
