import { openArm } from './arm.ts';
import { openBun } from './bun.ts';
import { openChromium } from './chromium.ts';
import type { Engine } from './engine.ts';
import { openFirefox } from './firefox.ts';
import type { Loopback } from './loopback.ts';
import { openNode } from './node.ts';
import { openWorkerd } from './workerd.ts';

export type { Engine, LegEnd } from './engine.ts';
export { Loopback } from './loopback.ts';

export type EngineName = 'node' | 'chromium' | 'firefox' | 'workerd' | 'bun' | 'arm';

type OpenEngine = (loopback: Loopback) => Promise<Engine>;

/** ARM needs what `scripts/setup-arm.sh` fetches; the others are there after `npm run setup`. */
const engines: Record<EngineName, OpenEngine> = {
  node: openNode,
  chromium: openChromium,
  firefox: openFirefox,
  workerd: openWorkerd,
  bun: openBun,
  arm: openArm,
};

/** Starts an engine; those that fetch their work do it from `loopback`. */
export const openEngine = (name: EngineName, loopback: Loopback): Promise<Engine> => engines[name](loopback);

export const everyEngine = Object.keys(engines) as EngineName[];
/** All that the tests use. */
export const usualEngines = everyEngine.filter((name) => name !== 'arm');
