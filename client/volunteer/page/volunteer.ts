import * as comlink from 'comlink';
import { retryDelayMs, reconnectPolicy, TabgridError } from '#protocol';
import type { Coordinator } from '../coordinator/coordinator.ts';
import { restingStatus, type WorkStatus } from '../work-status.ts';
import type { Actions } from './actions.ts';
import { watchConditions, type Conditions } from './conditions.ts';
import { enrol } from './enrol.ts';
import { claimsOf, forgetInvite, takeInvite } from './invite.ts';
import { holdReason, type PageState, type Problem } from './page-state.ts';
import { loadLifetime, loadSettings, saveLifetime, saveSettings, storageOf, type Settings } from './settings.ts';
import { Store } from './store.ts';
import { describeBrowser, detectSupport } from './support.ts';
import { ScreenLock } from './wake-lock.ts';

/** How long a stop may take to hand things back, in ms. */
const restGraceMs = 3000;

/** What the page does: carries out a person’s wishes under the device’s conditions. */
export class Volunteer implements Actions {
  readonly store: Store<PageState>;
  readonly #local = storageOf(() => localStorage);
  readonly #session = storageOf(() => sessionStorage);
  readonly #screen = new ScreenLock();
  readonly #description = describeBrowser(navigator.userAgent);
  readonly #coordinator: comlink.Remote<Coordinator>;
  #conditions: Conditions;
  #invite: string | null;
  /** The token by which the tab computes just now. */
  #token: string | null = null;
  #actual: 'working' | 'resting' = 'resting';
  #reconciling = false;
  #turn = 0;
  #counted = { tasks: 0, computedMs: 0 };

  constructor(coordinator: comlink.Remote<Coordinator>) {
    this.#coordinator = coordinator;
    this.#invite = takeInvite(location, history, this.#session);
    this.#conditions = watchConditions(
      (conditions) => this.#around(conditions),
      (reason) => this.#vanish(reason),
    );
    const support = detectSupport();
    this.store = new Store<PageState>({
      phase: 'idle',
      support,
      settings: loadSettings(support.cores, this.#local),
      admission: { type: this.#invite === null ? 'stranger' : 'invited' },
      hold: null,
      offline: this.#conditions.offline,
      problem: null,
      work: restingStatus,
      lifetime: loadLifetime(this.#local),
      fleet: null,
      campaigns: [],
      nowMs: Date.now(),
    });
    void coordinator.listen(comlink.proxy((status) => this.#heard(status)));
    // A second invite link opened in this tab only changes the fragment: begin afresh with it.
    addEventListener('hashchange', () => {
      if (takeInvite(location, history, this.#session) !== this.#invite) location.reload();
    });
  }

  /** The token, where it may read campaigns and the fleet. */
  get readingToken(): string | null {
    const token = this.#invite;
    const scope = token === null ? [] : (claimsOf(token)?.scope ?? []);
    return scope.includes('read') || scope.includes('admin') ? token : null;
  }

  begin(): void {
    this.store.update({ phase: 'running', problem: null });
    this.#reconcile();
  }

  stop(): void {
    if (this.store.value.phase !== 'running') return;
    this.store.update({ phase: 'stopping' });
    this.#reconcile();
  }

  set(change: Partial<Settings>): void {
    const settings = { ...this.store.value.settings, ...change };
    saveSettings(settings, this.#local);
    this.store.update({ settings });
    if (change.cores !== undefined) void this.#coordinator.setCores(change.cores);
    this.#around(this.#conditions);
  }

  #around(conditions: Conditions): void {
    this.#conditions = conditions;
    const { settings } = this.store.value;
    this.store.update({ hold: holdReason(settings, conditions), offline: conditions.offline });
    this.#reconcile();
  }

  /** The last moment: no promise can be waited for, only messages sent. */
  #vanish(reason: string): void {
    void this.#coordinator.leave(reason);
    this.#actual = 'resting';
  }

  #heard(work: WorkStatus): void {
    const { lifetime } = this.store.value;
    const { succeeded, computedMs } = work.totals;
    const more = { tasks: succeeded - this.#counted.tasks, computedMs: computedMs - this.#counted.computedMs };
    this.#counted = { tasks: succeeded, computedMs };
    if (more.tasks > 0 || more.computedMs > 0) {
      // Read anew, because other tabs count too.
      const before = loadLifetime(this.#local);
      const after = { tasks: before.tasks + more.tasks, computedMs: before.computedMs + more.computedMs };
      saveLifetime(after, this.#local);
      this.store.update({ work, lifetime: after });
    } else {
      this.store.update({ work, lifetime });
    }
    if (this.#actual !== 'working' || work.turn !== this.#turn) return;
    if (work.link.type === 'refused') this.#refused(work.link);
    if (work.link.type === 'dismissed') {
      this.#actual = 'resting';
      this.#fail({ code: 'dismissed', message: 'The server asked this tab to stop.' });
    }
  }

  #refused(problem: Problem): void {
    this.#actual = 'resting';
    const enrolled = this.#invite === null && this.#token !== null;
    this.#token = null;
    // A stranger’s token is short-lived; its key gets another one.
    if (enrolled && problem.code === 'token_expired') this.#reconcile();
    else this.#fail(problem);
  }

  #fail(problem: Problem): void {
    if (problem.code === 'unauthorized' || problem.code === 'token_expired') forgetInvite(this.#session);
    this.store.update({ phase: 'stopped', problem });
    this.#reconcile();
  }

  #wanted(): 'working' | 'resting' {
    const { phase, hold, problem } = this.store.value;
    return phase === 'running' && hold === null && problem === null ? 'working' : 'resting';
  }

  /** Brings what is to what is wanted, one step after the other, however often the wishes change meanwhile. */
  #reconcile(): void {
    void this.#screen.want(this.#wanted() === 'working' && this.store.value.settings.keepAwake);
    if (this.#reconciling) return;
    this.#reconciling = true;
    void this.#settle().finally(() => {
      this.#reconciling = false;
    });
  }

  async #settle(): Promise<void> {
    for (let tries = 0; this.#wanted() !== this.#actual;) {
      if (this.#wanted() === 'resting') {
        this.#actual = 'resting';
        await this.#coordinator.rest(this.store.value.hold ?? 'stopped by its person', restGraceMs);
        continue;
      }
      const token = await this.#admit(tries);
      tries = token === null ? tries + 1 : 0;
      if (token === null || this.#wanted() !== 'working') continue;
      this.#token = token;
      this.#actual = 'working';
      await this.#coordinator.begin({
        turn: ++this.#turn,
        url: location.origin,
        token,
        cores: this.store.value.settings.cores,
        description: this.#description,
      });
    }
    if (this.store.value.phase === 'stopping') this.store.update({ phase: 'stopped' });
  }

  /** The invite, or a token of one’s own; null after a failure that time may mend, and a wait. */
  async #admit(tries: number): Promise<string | null> {
    const token = this.#invite ?? this.#token;
    if (token !== null) return token;
    try {
      return await enrol();
    } catch (error) {
      const known = error instanceof TabgridError ? error : new TabgridError('internal', String(error));
      if (known.code === 'unavailable') {
        await new Promise((resolve) => setTimeout(resolve, retryDelayMs(reconnectPolicy, tries, Math.random())));
      } else {
        this.store.update({ phase: 'stopped', problem: { code: known.code, message: known.message } });
      }
      return null;
    }
  }
}
