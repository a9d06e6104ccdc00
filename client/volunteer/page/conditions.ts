/** What happens around the page that bears on computing. */
export interface Conditions {
  hidden: boolean;
  /** False where the browser does not tell. */
  onBattery: boolean;
  /** The browser has put the page to sleep, or into its cache of left pages. */
  frozen: boolean;
  /** The browser is sure that there is no network. */
  offline: boolean;
}

/** The Battery Status API, which only some browsers have. */
interface BatteryManager extends EventTarget {
  readonly charging: boolean;
}

type NavigatorWithBattery = Navigator & { getBattery?: () => Promise<BatteryManager> };

export function tellsBattery(navigator: Navigator): boolean {
  return typeof (navigator as NavigatorWithBattery).getBattery === 'function';
}

/**
 * Tells every change. `onVanish` is called, synchronously, when this may be the last moment in which the page runs: it is closed, reloaded,
 * left or frozen.
 */
export function watchConditions(
  onChange: (conditions: Conditions) => void,
  onVanish: (reason: string) => void,
): Conditions {
  const conditions: Conditions = {
    hidden: document.visibilityState === 'hidden',
    onBattery: false,
    frozen: false,
    offline: !navigator.onLine,
  };
  const change = (what: Partial<Conditions>) => {
    Object.assign(conditions, what);
    onChange({ ...conditions });
  };
  const vanish = (reason: string) => {
    onVanish(reason);
    change({ frozen: true });
  };
  document.addEventListener('visibilitychange', () => change({ hidden: document.visibilityState === 'hidden' }));
  document.addEventListener('freeze', () => vanish('the browser froze the tab'));
  document.addEventListener('resume', () => change({ frozen: false }));
  addEventListener('pagehide', () => vanish('the tab was closed or left'));
  addEventListener('pageshow', () => change({ frozen: false }));
  addEventListener('online', () => change({ offline: false }));
  addEventListener('offline', () => change({ offline: true }));
  void (navigator as NavigatorWithBattery).getBattery?.().then(
    (battery) => {
      const tell = () => change({ onBattery: !battery.charging });
      battery.addEventListener('chargingchange', tell);
      tell();
    },
    () => undefined,
  );
  return { ...conditions };
}
