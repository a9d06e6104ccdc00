import { z } from 'zod';

/** What the volunteer has chosen; kept on this device alone. */
export interface Settings {
  /** Cores lent, 1 … what the device has. */
  cores: number;
  pauseOnBattery: boolean;
  pauseWhenHidden: boolean;
  /** Keeps the screen from going dark while the tab computes. */
  keepAwake: boolean;
}

/** Half of the cores, so that the device stays pleasant to use. */
function defaultSettings(availableCores: number): Settings {
  return {
    cores: Math.max(1, Math.floor(availableCores / 2)),
    pauseOnBattery: true,
    pauseWhenHidden: false,
    keepAwake: false,
  };
}

const key = 'tabgrid.settings';
const savedSchema = z.object({
  cores: z.int().min(1),
  pauseOnBattery: z.boolean(),
  pauseWhenHidden: z.boolean(),
  keepAwake: z.boolean(),
});

/** What was chosen last time, or the defaults where nothing readable is kept. */
export function loadSettings(availableCores: number, storage: Storage | null): Settings {
  try {
    const saved = savedSchema.parse(JSON.parse(storage?.getItem(key) ?? ''));
    return { ...saved, cores: Math.min(saved.cores, availableCores) };
  } catch {
    return defaultSettings(availableCores);
  }
}

export function saveSettings(settings: Settings, storage: Storage | null): void {
  try {
    storage?.setItem(key, JSON.stringify(settings));
  } catch {
    // A full or forbidden storage only means that the choice is made again next time.
  }
}

/** What this device has computed in all visits. */
export interface Lifetime {
  tasks: number;
  computedMs: number;
}

const lifetimeKey = 'tabgrid.lifetime';
const lifetimeSchema = z.object({ tasks: z.int().min(0), computedMs: z.number().min(0) });

export function loadLifetime(storage: Storage | null): Lifetime {
  try {
    return lifetimeSchema.parse(JSON.parse(storage?.getItem(lifetimeKey) ?? ''));
  } catch {
    return { tasks: 0, computedMs: 0 };
  }
}

export function saveLifetime(lifetime: Lifetime, storage: Storage | null): void {
  try {
    storage?.setItem(lifetimeKey, JSON.stringify(lifetime));
  } catch {
    // As above: nothing depends on it.
  }
}

/** Storage that a browser withholds (private windows, blocked cookies) throws on access. */
export function storageOf(read: () => Storage): Storage | null {
  try {
    return read();
  } catch {
    return null;
  }
}
