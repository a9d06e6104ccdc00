import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TaskView, WorkerView } from '#protocol';
import {
  begin,
  headlineOf,
  launchChromium,
  openTab,
  plainHost,
  shows,
  type Tab,
  type TabOptions,
} from './support/browser.ts';
import { TestGrid, until } from './support/grid.ts';

let grid: TestGrid;
let browser: Browser;
const tabs: Tab[] = [];

beforeAll(async () => {
  [grid, browser] = await Promise.all([TestGrid.start(), launchChromium()]);
});

afterEach(async () => {
  for (const tab of tabs.splice(0)) await tab.context.close();
  for (const id of held.splice(0)) await grid.call('POST', `/v1/tasks/${id}/revoke`, { terminate: true });
});

afterAll(async () => {
  await browser.close();
  await grid.stop();
});

async function tabAt(url: string, options: TabOptions = {}): Promise<Tab> {
  const tab = await openTab(browser, url, options);
  tabs.push(tab);
  return tab;
}

const invited = async (options: TabOptions = {}) => tabAt(await grid.invite(), options);

const held: string[] = [];

/** A training of hours, which goes on until somebody stops it. */
async function submitLong(seed: number): Promise<string> {
  const id = await grid.submit('train_surrogate', {
    rows: Array.from({ length: 400 }, (_, i) => [(i * 7) % 11, (i * 5) % 13, (i * 3) % 17]),
    inputs: ['a', 'b'],
    targets: ['c'],
    epochs: 100_000,
    members: 64,
    seed,
  });
  held.push(id);
  return id;
}

const onlineTab = async (): Promise<WorkerView | undefined> =>
  (await grid.workers()).find(({ state, name }) => state === 'online' && name.startsWith('tab-'));

const inState = (id: string, state: TaskView['state']) =>
  until(async () => {
    const task = await grid.task(id);
    return task.state === state && task;
  });

describe('the volunteer page', () => {
  it('starts nothing by itself, and keeps the invitation out of every address', async () => {
    const invite = await grid.invite();
    const token = invite.split('invite=')[1] ?? '';
    const tab = await tabAt(invite);
    expect(await headlineOf(tab)).toBe('Lend this tab to an experiment.');
    expect(await tab.page.getByRole('slider').getAttribute('aria-valuetext')).toBe('2 of 4 cores');
    expect(await onlineTab()).toBeUndefined();
    await tab.page.reload();
    await shows(tab, 'Somebody invited you');
    expect(new URL(tab.page.url()).hash).toBe('');
    expect(tab.addresses.filter((address) => address.includes(token))).toEqual([]);
  });

  it('joins at the press of the button, computes, shows it, and is in the worker table as trusted', async () => {
    const tab = await invited();
    await begin(tab, 2);
    await shows(tab, 'Ready, and nothing to do.');
    const worker = await until(onlineTab);
    expect(worker).toMatchObject({ concurrency: 2, trusted: true, capabilities: { runtime: 'tab', cores: 2 } });
    const id = await submitLong(1);
    await shows(tab, 'Computing on 2 cores.');
    await shows(tab, 'Training a model');
    expect((await inState(id, 'STARTED')).worker).toBe(worker.worker_id);
    const pings = await Promise.all([1, 2, 3].map(() => grid.submit('ping', {})));
    for (const ping of pings) expect((await grid.finished(ping)).state).toBe('SUCCESS');
    expect(tab.faults).toEqual([]);
  });

  it('works through arrays, with items out of a file', async () => {
    const tab = await invited();
    await begin(tab, 2);
    const worker = await until(onlineTab);
    const rows = Array.from({ length: 40 }, (_, seed) => `${seed},8`);
    await grid.request('PUT', '/v1/files/d/searches.csv', new TextEncoder().encode(`seed,popsize\n${rows.join('\n')}`));
    const kwargs = { objective: { builtin: 'sphere' }, dimension: 3, max_evaluations: 2_000 };
    const array = { task: 'run_cmaes_optimization', kwargs, items: { file: '/d/searches.csv' }, size: 10 };
    const { task_id: id } = await grid.call<{ task_id: string }>('POST', '/v1/workflows', { chunks: array });
    const { result } = await grid.finished(id);
    expect((result as { fun: number }[][]).map((chunk) => chunk.map(({ fun }) => fun < 1e-6))).toEqual(
      Array.from({ length: 4 }, () => Array.from({ length: 10 }, () => true)),
    );
    const { tasks } = await grid.call<{ tasks: TaskView[] }>('GET', '/v1/tasks?task=starmap');
    expect(tasks.map((task) => task.worker)).toEqual(Array.from({ length: 4 }, () => worker.worker_id));
    expect(tab.faults).toEqual([]);
  });

  it('asks nobody but its own server, under a policy that allows nothing unsafe', async () => {
    const tab = await invited();
    await begin(tab, 1);
    await until(onlineTab);
    const page = await grid.request('GET', '/');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|data:|https?:|\*/);
    expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    expect(await tab.page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect([...new Set(tab.addresses.map((address) => new URL(address).host))]).toEqual([new URL(grid.url).host]);
    expect(tab.faults).toEqual([]);
  });

  it('hands back at the stop button, with a snapshot that another worker continues', async () => {
    const id = await submitLong(2);
    const tab = await invited();
    await begin(tab, 1);
    await inState(id, 'STARTED');
    await shows(tab, /epoch/);
    await tab.page.getByRole('button', { name: 'Stop' }).click();
    await shows(tab, 'Stopped.');
    const task = await inState(id, 'PENDING');
    expect(task.attempts.map(({ outcome }) => outcome)).toEqual(['released']);
    expect(await until(async () => (await onlineTab()) === undefined)).toBe(true);
    await tab.page.getByRole('button', { name: 'Begin again' }).click();
    expect((await inState(id, 'STARTED')).attempts).toHaveLength(2);
  });

  it('hands back what the dial takes away, and goes on with the rest', async () => {
    const ids = [await submitLong(3), await submitLong(4)];
    const tab = await invited();
    await begin(tab, 2);
    for (const id of ids) await inState(id, 'STARTED');
    await tab.page.getByRole('slider').press('ArrowLeft');
    const states = await until(async () => {
      const now = (await Promise.all(ids.map((id) => grid.task(id)))).map(({ state }) => state).sort();
      return now.join() === 'PENDING,STARTED' && now;
    });
    expect(states).toEqual(['PENDING', 'STARTED']);
    await until(async () => (await onlineTab())?.concurrency === 1);
    await tab.page.getByRole('slider').press('ArrowRight');
    for (const id of ids) await inState(id, 'STARTED');
  });

  it.each([
    ['closed', (tab: Tab) => tab.page.close()],
    ['reloaded', (tab: Tab) => tab.page.reload()],
    ['led elsewhere', (tab: Tab) => tab.page.goto('about:blank')],
  ])('gives its work to others at once when it is %s', async (_, leave) => {
    const id = await submitLong(5);
    const tab = await invited();
    await begin(tab, 1);
    await inState(id, 'STARTED');
    await leave(tab);
    const task = await inState(id, 'PENDING');
    expect(task.attempts.map(({ outcome }) => outcome)).toEqual(['released']);
    expect(await until(async () => (await onlineTab()) === undefined)).toBe(true);
  });

  it('remembers dial and conditions on this device', async () => {
    const tab = await invited();
    await tab.page.getByRole('slider').fill('3');
    await tab.page.getByLabel('Pause when the tab is hidden').check();
    await tab.page.reload();
    expect(await tab.page.getByRole('slider').inputValue()).toBe('3');
    expect(await tab.page.getByLabel('Pause when the tab is hidden').isChecked()).toBe(true);
  });

  it('can be used with the keyboard alone', async () => {
    const tab = await invited();
    const focused = () =>
      tab.page.evaluate(() => {
        const { id = '', textContent = '' } = document.activeElement ?? {};
        return id === '' ? textContent : id;
      });
    await tab.page.keyboard.press('Tab');
    expect(await focused()).toBe('cores');
    await tab.page.keyboard.press('Home');
    expect(await tab.page.getByRole('slider').getAttribute('aria-valuetext')).toBe('1 of 4 cores');
    while ((await focused()) !== 'Begin') await tab.page.keyboard.press('Tab');
    await tab.page.keyboard.press('Enter');
    await until(onlineTab);
  });

  it('pauses while hidden if asked to, and goes on afterwards', async () => {
    const id = await submitLong(6);
    const tab = await invited();
    await tab.page.getByLabel('Pause when the tab is hidden').check();
    await begin(tab, 1);
    await inState(id, 'STARTED');
    const look = (state: string) =>
      tab.page.evaluate((visibility) => {
        Object.defineProperty(document, 'visibilityState', { value: visibility, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, state);
    await look('hidden');
    await shows(tab, 'Paused while hidden.');
    await inState(id, 'PENDING');
    await look('visible');
    await inState(id, 'STARTED');
  });

  it('pauses on battery, and goes on at the plug', async () => {
    const id = await submitLong(7);
    const tab = await invited({
      before: () => {
        const battery = Object.assign(new EventTarget(), { charging: true });
        Object.assign(globalThis, { battery });
        Object.defineProperty(navigator, 'getBattery', { value: () => Promise.resolve(battery) });
      },
    });
    const plug = (charging: boolean) =>
      tab.page.evaluate((value) => {
        const { battery } = globalThis as unknown as { battery: EventTarget & { charging: boolean } };
        battery.charging = value;
        battery.dispatchEvent(new Event('chargingchange'));
      }, charging);
    await begin(tab, 1);
    await inState(id, 'STARTED');
    await plug(false);
    await shows(tab, 'Paused while on battery.');
    await inState(id, 'PENDING');
    await plug(true);
    await inState(id, 'STARTED');
  });

  it('gives its work back when the browser freezes it, and comes back when it wakes', async () => {
    const id = await submitLong(8);
    const tab = await invited();
    await begin(tab, 1);
    await inState(id, 'STARTED');
    // Chromium freezes only tabs that are really hidden, which one under remote control never is: so the event alone.
    const tell = (type: string) => tab.page.evaluate((name) => document.dispatchEvent(new Event(name)), type);
    await tell('freeze');
    await inState(id, 'PENDING');
    await tell('resume');
    await inState(id, 'STARTED');
  });

  it('says that the network is gone, and comes back by itself as the same worker', async () => {
    const id = await submitLong(9);
    const tab = await invited();
    await begin(tab, 1);
    const { worker } = await inState(id, 'STARTED');
    await tab.context.setOffline(true);
    await shows(tab, 'This device has no network.');
    await tab.context.setOffline(false);
    await shows(tab, 'Computing on 1 core.');
    const task = await grid.task(id);
    expect([task.state, task.worker, task.attempts.length]).toEqual(['STARTED', worker, 1]);
  });

  it('outlives a killed server: what it computes is still its own afterwards', async () => {
    const id = await submitLong(10);
    const tab = await invited();
    await begin(tab, 1);
    const { worker } = await inState(id, 'STARTED');
    await grid.kill();
    await shows(tab, 'The server does not answer.');
    await grid.revive();
    await shows(tab, 'Computing on 1 core.');
    const task = await inState(id, 'STARTED');
    expect([task.worker, task.attempts.length]).toEqual([worker, 1]);
  });

  it('enrols an uninvited tab with a key of its own, and says that there is nothing for it', async () => {
    const tab = await tabAt(`${grid.url}/`);
    await shows(tab, 'Without an invite link');
    await begin(tab, 1);
    await shows(tab, 'There is no work for uninvited tabs just now');
    const worker = await until(onlineTab);
    expect(worker.trusted).toBe(false);
    expect(worker.owner).toMatch(/^volunteer:[0-9a-f]{64}$/);
    await tab.page.reload();
    await begin(tab, 1);
    expect((await until(onlineTab)).owner).toBe(worker.owner);
  });

  it.each([
    [
      'one that was cut short',
      async () => (await grid.mint(['work'])).slice(0, -5),
      'This invitation is not valid here.',
    ],
    ['one for something else', () => grid.mint(['submit']), 'This invitation is not valid here.'],
  ])('says in words why an invitation does not count: %s', async (_, token, words) => {
    const tab = await tabAt(`${grid.url}/#invite=${await token()}`);
    await begin(tab, 1);
    await shows(tab, words);
    await tab.page.getByRole('button', { name: 'Begin again' }).waitFor();
  });

  it('computes by invitation over plain http, and says there why it cannot without', async () => {
    const plain = (address: string) => address.replace('localhost', plainHost);
    const stranger = await tabAt(plain(`${grid.url}/`));
    await shows(stranger, 'This page came over a plain http connection');
    expect(await stranger.page.getByRole('button', { name: 'Begin' }).isDisabled()).toBe(true);
    const tab = await tabAt(plain(await grid.invite()));
    expect(await tab.page.evaluate(() => isSecureContext)).toBe(false);
    await begin(tab, 1);
    expect((await until(onlineTab)).trusted).toBe(true);
  });

  it('leaves, instead of failing tasks, when a newer deployment has replaced its files', async () => {
    const tab = await invited();
    await tab.context.route('**/assets/core.worker-*.js', (route) => route.fulfill({ status: 404 }));
    await begin(tab, 1);
    await shows(tab, 'This page is out of date.');
    expect(await onlineTab()).toBeUndefined();
  });

  it('keeps the screen on only while it computes, and only when asked to', async () => {
    const tab = await invited({
      before: () => {
        const locks = { held: 0 };
        const request = () => {
          locks.held++;
          const release = () => {
            locks.held--;
            return Promise.resolve();
          };
          return Promise.resolve({ released: false, release });
        };
        Object.assign(globalThis, { locks });
        Object.defineProperty(navigator, 'wakeLock', { value: { request } });
      },
    });
    const held = () => tab.page.evaluate(() => (globalThis as unknown as { locks: { held: number } }).locks.held);
    await begin(tab, 1);
    await until(onlineTab);
    expect(await held()).toBe(0);
    await tab.page.getByLabel('Keep the screen on').check();
    await until(async () => (await held()) === 1);
    await tab.page.getByRole('button', { name: 'Stop' }).click();
    await until(async () => (await held()) === 0);
  });

  it('obeys when the server asks it to leave', async () => {
    const tab = await invited();
    await begin(tab, 1);
    const worker = await until(onlineTab);
    await grid.call('POST', `/v1/workers/${worker.worker_id}/shutdown`, {});
    await shows(tab, 'The server asked this tab to stop.');
  });
});
