/** Keeps the screen on, only while it is wanted; browsers drop the lock when the tab is hidden. */
export class ScreenLock {
  #lock: WakeLockSentinel | null = null;
  #wanted = false;

  static isAvailable(navigator: Navigator): boolean {
    return 'wakeLock' in navigator;
  }

  /** Call it again when the tab becomes visible. */
  async want(wanted: boolean): Promise<void> {
    this.#wanted = wanted;
    if (!wanted) {
      await this.#lock?.release();
      this.#lock = null;
      return;
    }
    if (!ScreenLock.isAvailable(navigator) || document.hidden || this.#lock?.released === false) return;
    try {
      const lock = await navigator.wakeLock.request('screen');
      // It may have become unwanted while the browser decided.
      if (this.#wanted) this.#lock = lock;
      else await lock.release();
    } catch {
      // Low battery or a policy: the screen may go dark, computing goes on.
    }
  }
}
