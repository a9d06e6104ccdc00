import type { CampaignView, ErrorCode, ParetoView } from '#protocol';
import type { WorkStatus } from '../work-status.ts';
import type { Lifetime, Settings } from './settings.ts';

/** What the browser and the device let this page do. */
export interface Support {
  /** Cores that the browser admits to having. */
  cores: number;
  /** Why this browser cannot compute here at all, in words; null where it can. */
  missing: string | null;
  /** False on plain `http://` from another machine: no WebCrypto, hence no identity of one’s own. */
  secureContext: boolean;
  battery: boolean;
  wakeLock: boolean;
}

/** Why computing rests although it was begun. It goes on by itself. */
export type Hold = 'battery' | 'hidden' | 'frozen';

/** By what right the tab computes. */
export type Admission =
  /** Through an invite link with the scope `work`: a trusted worker. */
  | { type: 'invited' }
  /** Without one: enrolled with a key of its own, and given only what can be verified. */
  | { type: 'stranger' };

/** Something that keeps the tab from computing until a person does something about it. */
export interface Problem {
  code: ErrorCode | 'dismissed';
  message: string;
}

/** What the token may read of the deployment; null where it may not, or nothing has come yet. */
export interface Fleet {
  workersOnline: number;
  tasksDone: number;
}

export interface CampaignPicture {
  campaign: CampaignView;
  /** Only where there are two objectives or more. */
  pareto: ParetoView | null;
}

export interface PageState {
  /** `idle` before the first press of the button, `stopped` after the stop button: computing only ever begins by a press. */
  phase: 'idle' | 'running' | 'stopping' | 'stopped';
  support: Support;
  settings: Settings;
  admission: Admission;
  hold: Hold | null;
  /** The browser says that there is no network. */
  offline: boolean;
  problem: Problem | null;
  work: WorkStatus;
  lifetime: Lifetime;
  fleet: Fleet | null;
  campaigns: CampaignPicture[];
  /** Now, in ms since 1970; moves on once a second while there is something to see. */
  nowMs: number;
}

/** Which of the volunteer’s own conditions, if any, forbids computing just now. */
export function holdReason(
  settings: Pick<Settings, 'pauseOnBattery' | 'pauseWhenHidden'>,
  conditions: { onBattery: boolean; hidden: boolean; frozen: boolean },
): Hold | null {
  if (conditions.frozen) return 'frozen';
  if (settings.pauseOnBattery && conditions.onBattery) return 'battery';
  if (settings.pauseWhenHidden && conditions.hidden) return 'hidden';
  return null;
}
