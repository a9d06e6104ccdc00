import { describe, expect, it } from 'vitest';
import { signToken, keyRing, type Assignment, type AttemptRef } from '#protocol';
import { Ledger } from '../../client/volunteer/coordinator/ledger.ts';
import { LentCores } from '../../client/volunteer/coordinator/lent-cores.ts';
import { claimsOf, takeInvite } from '../../client/volunteer/page/invite.ts';
import { holdReason } from '../../client/volunteer/page/page-state.ts';
import { loadSettings, saveSettings } from '../../client/volunteer/page/settings.ts';
import { describeBrowser } from '../../client/volunteer/page/support.ts';
import { duration, headline, linkInWords, measured, taskInWords } from '../../client/volunteer/page/words.ts';
import { states } from '../../client/volunteer/gallery/states.ts';
import type { Clock, ExecutionEvent, ExecutionListener, Executor } from '../../client/worker/index.ts';

/** A Storage that lives in a map. */
function memoryStorage(): Storage {
  const kept = new Map<string, string>();
  return {
    get length() {
      return kept.size;
    },
    clear: () => kept.clear(),
    getItem: (key) => kept.get(key) ?? null,
    key: (index) => [...kept.keys()][index] ?? null,
    removeItem: (key) => void kept.delete(key),
    setItem: (key, value) => void kept.set(key, value),
  };
}

describe('the invite', () => {
  const visit = (hash: string, storage: Storage) => {
    const shown: string[] = [];
    const location = { hash, pathname: '/', search: '' } as Location;
    const history = { state: null, replaceState: (_: unknown, __: string, url: string) => shown.push(url) };
    return { invite: takeInvite(location, history as unknown as History, storage), shown };
  };

  it('is taken from the fragment, which is cleared, and outlives a reload of the tab', () => {
    const storage = memoryStorage();
    expect(visit('#invite=abc.def', storage)).toEqual({ invite: 'abc.def', shown: ['/'] });
    expect(visit('', storage)).toEqual({ invite: 'abc.def', shown: [] });
  });

  it('is replaced by a second one, and absent without any', () => {
    const storage = memoryStorage();
    expect(visit('', storage).invite).toBeNull();
    visit('#invite=first', storage);
    expect(visit('#invite=second', storage).invite).toBe('second');
    expect(visit('#invite=', memoryStorage()).invite).toBeNull();
  });

  it('is read for its claims, whoever signed it, and nonsense has none', () => {
    const claims = { sub: 'lab', scope: ['work', 'read'] as ('work' | 'read')[], exp: 2_000_000_000, jti: 'j' };
    const token = signToken(claims, keyRing('a secret of at least 32 characters'));
    expect(claimsOf(token)).toMatchObject(claims);
    expect(claimsOf('no token')).toBeNull();
    expect(claimsOf('')).toBeNull();
  });
});

describe('settings', () => {
  it('lend half of the cores unless something else was chosen before', () => {
    expect(loadSettings(8, memoryStorage()).cores).toBe(4);
    expect(loadSettings(1, null).cores).toBe(1);
    const storage = memoryStorage();
    saveSettings({ ...loadSettings(8, storage), cores: 7, pauseWhenHidden: true }, storage);
    expect(loadSettings(8, storage)).toMatchObject({ cores: 7, pauseWhenHidden: true });
  });

  it('never ask for more cores than there are, and ignore what cannot be read', () => {
    const storage = memoryStorage();
    saveSettings({ ...loadSettings(16, storage), cores: 16 }, storage);
    expect(loadSettings(4, storage).cores).toBe(4);
    storage.setItem('tabgrid.settings', '{"cores": "many"}');
    expect(loadSettings(4, storage).cores).toBe(2);
  });

  it.each([
    [{ onBattery: true, hidden: false, frozen: false }, 'battery'],
    [{ onBattery: false, hidden: true, frozen: false }, 'hidden'],
    [{ onBattery: true, hidden: true, frozen: true }, 'frozen'],
    [{ onBattery: false, hidden: false, frozen: false }, null],
  ])('hold computing under the conditions %o: %s', (conditions, reason) => {
    expect(holdReason({ pauseOnBattery: true, pauseWhenHidden: true }, conditions)).toBe(reason);
  });

  it('do not hold computing for a condition that nobody asked about', () => {
    const conditions = { onBattery: true, hidden: true, frozen: false };
    expect(holdReason({ pauseOnBattery: false, pauseWhenHidden: false }, conditions)).toBeNull();
  });
});

describe('words', () => {
  it('say every state of the page in a headline, a sentence and a word about the connection', () => {
    for (const state of Object.values(states)) {
      expect(headline(state).title).toMatch(/[.]$/);
      expect(headline(state).text).toMatch(/[.]$/);
      expect(linkInWords(state).text).not.toBe('');
    }
  });

  it('name tasks for people, also those that they have no words for', () => {
    expect(taskInWords('train_surrogate')).toBe('Training a model');
    expect(taskInWords('some_new_task')).toBe('Some new task');
  });

  it('write durations and measured values shortly', () => {
    expect([900, 61_000, 7_260_000].map(duration)).toEqual(['0 s', '1 min 1 s', '2 h 1 min']);
    expect([0, 44.612, 0.00001, 12_345_678, NaN].map(measured)).toEqual(['0', '44.61', '1.000e-5', '1.235e+7', '–']);
  });

  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0', 'Firefox 153 on Linux'],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0',
      'Edge 156 on Windows',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15',
      'Safari 26 on macOS',
    ],
    [
      'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36',
      'Chrome 156 on Android',
    ],
    ['something else', 'a browser'],
  ])('tell the server no more of a browser than its name, version and system: %s', (userAgent, words) => {
    expect(describeBrowser(userAgent)).toBe(words);
  });
});

/** A clock that only moves when told to. */
class HandClock implements Clock {
  ms = 1000;
  #timers: { atMs: number; run: () => void }[] = [];
  now = () => this.ms;
  random = () => 0.5;
  setTimer = (ms: number, run: () => void) => {
    const timer = { atMs: this.ms + ms, run };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((one) => one !== timer));
  };
  pass(ms: number): void {
    this.ms += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.ms);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.ms);
    for (const { run } of due) run();
  }
}

/** Writes down what it is told; its jobs end when the test says so. */
class ScriptedPool implements Executor {
  readonly calls: string[] = [];
  readonly listeners = new Map<string, ExecutionListener>();
  start(assignment: Assignment, listener: ExecutionListener): void {
    this.listeners.set(assignment.task_id, listener);
    listener({ type: 'started' });
  }
  abort(ref: AttemptRef, reason: string): void {
    this.calls.push(`abort ${ref.task_id} ${reason}`);
    this.listeners.get(ref.task_id)?.({ type: 'finished', outcome: { type: 'revoked' }, runtimeMs: 500 });
  }
  askSnapshot(ref: AttemptRef): void {
    this.calls.push(`ask ${ref.task_id}`);
  }
  resize(cores: number): void {
    this.calls.push(`resize ${cores}`);
  }
  recycle(): void {
    this.calls.push('recycle');
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

describe('lent cores', () => {
  const snapshot = { kernel_digest: '0'.repeat(64), data: 'AQI=' };

  function setup(tasks: string[]) {
    const clock = new HandClock();
    const pool = new ScriptedPool();
    const ledger = new Ledger();
    const cores = new LentCores(pool, { ledger, clock, handBackGraceMs: 2000, onChange: () => undefined });
    const heard: Record<string, ExecutionEvent[]> = {};
    for (const task of tasks) {
      heard[task] = [];
      cores.start({ task_id: task, attempt: 1, task: 'ping' } as Assignment, (event) => heard[task]?.push(event));
      clock.pass(10);
    }
    return { clock, pool, ledger, cores, heard };
  }

  it('hand back the youngest tasks, snapshot first, when the dial is turned down', () => {
    const { pool, ledger, cores, heard } = setup(['a', 'b', 'c']);
    cores.resize(1);
    expect(pool.calls).toEqual(['resize 1', 'ask b', 'ask c']);
    pool.listeners.get('c')?.({ type: 'snapshot', snapshot });
    expect(heard.c?.map(({ type }) => type)).toEqual(['started', 'snapshot', 'finished']);
    expect(heard.c?.at(-1)).toMatchObject({ outcome: { type: 'released' } });
    expect(heard.b?.map(({ type }) => type)).toEqual(['started']);
    expect(heard.a?.map(({ type }) => type)).toEqual(['started']);
    expect(ledger.view().totals).toMatchObject({ returned: 1, succeeded: 0 });
  });

  it('hand back without a snapshot what does not come to a step in time', () => {
    const { clock, cores, heard } = setup(['a', 'b']);
    cores.resize(1);
    clock.pass(1999);
    expect(heard.b?.map(({ type }) => type)).toEqual(['started']);
    clock.pass(1);
    expect(heard.b?.at(-1)).toMatchObject({ type: 'finished', outcome: { type: 'released' } });
  });

  it('keep the result of a task that ends before it is handed back', () => {
    const { clock, pool, cores, heard, ledger } = setup(['a', 'b']);
    cores.resize(1);
    const outcome = { type: 'success', result: 1 } as const;
    pool.listeners.get('b')?.({ type: 'finished', outcome, runtimeMs: 7 });
    clock.pass(5000);
    expect(heard.b?.at(-1)).toMatchObject({ outcome });
    expect(pool.calls).not.toContain('abort b handed_back');
    expect(ledger.view().totals).toMatchObject({ succeeded: 1, computedMs: 7 });
  });

  it('report a task that its owner revoked as revoked', () => {
    const { cores, heard } = setup(['a']);
    cores.abort({ task_id: 'a' as AttemptRef['task_id'], attempt: 1 }, 'revoked');
    expect(heard.a?.at(-1)).toMatchObject({ outcome: { type: 'revoked' } });
  });

  it('are numbered so that a free one is taken again', () => {
    const { pool, cores, ledger } = setup(['a', 'b']);
    pool.listeners.get('a')?.({ type: 'finished', outcome: { type: 'success', result: 1 }, runtimeMs: 1 });
    cores.start({ task_id: 'c', attempt: 1, task: 'ping' } as Assignment, () => undefined);
    expect(ledger.view().cores.map((task) => task?.taskId)).toEqual(['c', 'b']);
    expect(ledger.view().recent).toMatchObject([{ taskId: 'a', core: 0, outcome: 'success' }]);
  });

  it('are cleared when the session is over: what ran counts as handed back', () => {
    const { ledger } = setup(['a', 'b']);
    ledger.clear(5000);
    expect(ledger.view()).toMatchObject({ cores: [], totals: { returned: 2 } });
  });
});
