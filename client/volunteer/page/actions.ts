import type { Settings } from './settings.ts';

/** What a person can do on the page. */
export interface Actions {
  begin(): void;
  stop(): void;
  /** Changes take effect at once; fewer cores hand back what the others held. */
  set(change: Partial<Settings>): void;
}
