import type { CampaignView } from '#protocol';
import type { CampaignPicture, PageState } from '../page/page-state.ts';
import { restingStatus, type RunningTask, type WorkStatus } from '../work-status.ts';

const nowMs = Date.UTC(2026, 4, 3, 9, 30);
const taskId = (n: number) => `0-${String(n).padStart(26, '0')}` as RunningTask['taskId'];

const idle: PageState = {
  phase: 'idle',
  support: { cores: 8, missing: null, secureContext: true, battery: true, wakeLock: true },
  settings: { cores: 4, pauseOnBattery: true, pauseWhenHidden: false, keepAwake: false },
  admission: { type: 'invited' },
  hold: null,
  offline: false,
  problem: null,
  work: restingStatus,
  lifetime: { tasks: 412, computedMs: 9_315_000 },
  fleet: null,
  campaigns: [],
  nowMs,
};

const tasks = ['train_surrogate', 'score_candidates', 'run_cmaes_optimization', 'evaluate_candidates'];

const work: WorkStatus = {
  turn: 1,
  link: { type: 'online' },
  workerName: 'tab-k3v9x2',
  cores: [
    {
      taskId: taskId(1),
      attempt: 1,
      task: 'train_surrogate',
      startedAtMs: nowMs - 14_200,
      progress: { fraction: 0.62, message: 'model 4 of 5, epoch 124 of 200' },
    },
    {
      taskId: taskId(2),
      attempt: 2,
      task: 'run_cmaes_optimization',
      startedAtMs: nowMs - 72_000,
      progress: { fraction: 0.18, message: '12,400 evaluations, best 0.0312' },
    },
    { taskId: taskId(3), attempt: 1, task: 'evaluate_candidates', startedAtMs: nowMs - 900, progress: null },
    null,
  ],
  recent: Array.from({ length: 28 }, (_, i) => {
    const startedAtMs = nowMs - 176_000 + Math.floor(i / 4) * 24_000 + (i % 4) * 3000;
    const endedAtMs = startedAtMs + 6000 + ((i * 5) % 16) * 1000;
    return {
      taskId: taskId(100 + i),
      core: i % 4,
      task: tasks[(i * 7 + (i >> 2)) % 4] ?? 'ping',
      startedAtMs,
      endedAtMs,
      outcome: 'success' as const,
    };
  }).filter(({ core, endedAtMs }) => endedAtMs < nowMs - ([14_200, 72_000, 900, 0][core] ?? 0)),
  totals: { succeeded: 87, failed: 1, returned: 3, computedMs: 1_425_000 },
};

const bests = [11.2, 11.2, 14.9, 14.9, 19.3, 19.3, 19.3, 27.1, 27.1, 31.8, 31.8, 31.8, 36.4, 36.4, 38.2, 38.2, 44.6];
const campaign = {
  campaign_id: 'c-00000000000000000000000001',
  task_id: taskId(9),
  name: 'Crossed barrel, toughness',
  owner: 'local',
  state: 'RUNNING',
  reason: null,
  spec: { objectives: [{ name: 'toughness', goal: 'max' }], budget: 120 },
  progress: { evaluated: 51, budget: 120, fraction: 51 / 120, step: 'training the model' },
  best: { inputs: { n: 12, theta: 200, r: 2.5, t: 1.4 }, values: { toughness: 44.6 } },
  history: bests.map((toughness, i) => ({
    iteration: i,
    evaluated: 3 + 3 * i,
    best: { inputs: {}, values: { toughness } },
    hypervolume: null,
    surrogate: null,
    proposed: [],
    seconds: 2,
  })),
  created_at: '2026-05-03T09:20:00.000Z',
  finished_at: null,
} as unknown as CampaignView;

const picture: CampaignPicture = { campaign, pareto: null };
const objectives = [
  { name: 'strength', goal: 'max' as const },
  { name: 'mass', goal: 'min' as const },
];
const trade: CampaignPicture = {
  campaign: {
    ...campaign,
    name: 'Strong and light',
    state: 'SUCCESS',
    reason: 'Budget used up: 120 of 120 evaluations.',
    progress: { evaluated: 120, budget: 120, fraction: 1, step: 'done' },
    spec: { ...campaign.spec, objectives },
  },
  pareto: {
    front: Array.from({ length: 11 }, (_, i) => ({
      index: i,
      inputs: {},
      values: { strength: 10 + i * 3.1, mass: 2 + (i * i) / 14 },
    })),
    hypervolume: 31,
    reference: { strength: 0, mass: 12 },
  },
};

const running: PageState = {
  ...idle,
  phase: 'running',
  work,
  campaigns: [picture],
  fleet: { workersOnline: 6, tasksDone: 18_402 },
};
const waiting: WorkStatus = {
  ...restingStatus,
  link: { type: 'online' },
  workerName: 'tab-k3v9x2',
  cores: [null, null, null, null],
};
const begun = (change: Partial<PageState>): PageState => ({ ...running, campaigns: [], fleet: null, ...change });
const many = Array.from({ length: 24 }, (_, i): RunningTask | null =>
  i % 7 === 6
    ? null
    : {
        taskId: taskId(200 + i),
        attempt: 1,
        task: tasks[i % 4] ?? 'ping',
        startedAtMs: nowMs - 1000 * (i * 13),
        progress: { fraction: (i * 0.37) % 1, message: 'epoch 12 of 200' },
      },
);

/** Every state that the page can be in, by name, for looking at and for tests. */
export const states: Readonly<Record<string, PageState>> = {
  'idle-invited': idle,
  'idle-stranger': { ...idle, admission: { type: 'stranger' }, lifetime: { tasks: 0, computedMs: 0 } },
  'idle-plain-http': {
    ...idle,
    admission: { type: 'stranger' },
    support: { ...idle.support, secureContext: false, battery: false, wakeLock: false },
  },
  'idle-one-core': {
    ...idle,
    support: { ...idle.support, cores: 1 },
    settings: { ...idle.settings, cores: 1 },
  },
  unsupported: {
    ...idle,
    support: {
      ...idle.support,
      missing: 'It needs WebAssembly with SIMD: Chrome 111, Firefox 115, Safari 16.4 or newer.',
    },
  },
  connecting: begun({ work: { ...waiting, link: { type: 'connecting' } } }),
  'waiting-invited': begun({ work: waiting }),
  'waiting-stranger': begun({ work: waiting, admission: { type: 'stranger' } }),
  running,
  'running-front': { ...running, campaigns: [trade] },
  'running-own-numbers': begun({ work }),
  'running-24-of-32': begun({
    support: { ...idle.support, cores: 32 },
    settings: { ...idle.settings, cores: 24 },
    work: { ...work, cores: many },
  }),
  'paused-battery': begun({ hold: 'battery', work: { ...work, link: { type: 'off' }, cores: [] } }),
  'paused-hidden': begun({ hold: 'hidden', work: { ...work, link: { type: 'off' }, cores: [] } }),
  reconnecting: { ...running, work: { ...work, link: { type: 'retrying' } } },
  offline: { ...running, offline: true, work: { ...work, link: { type: 'retrying' } } },
  expired: begun({
    phase: 'stopped',
    problem: { code: 'token_expired', message: 'the token has expired' },
    work: restingStatus,
  }),
  refused: begun({
    phase: 'stopped',
    problem: { code: 'unauthorized', message: 'not signed here' },
    work: restingStatus,
  }),
  dismissed: begun({ phase: 'stopped', problem: { code: 'dismissed', message: '' }, work: { ...work, cores: [] } }),
  outdated: begun({
    phase: 'stopped',
    problem: { code: 'upgrade_required', message: 'version 2' },
    work: restingStatus,
  }),
  stopping: { ...running, phase: 'stopping' },
  stopped: {
    ...running,
    phase: 'stopped',
    work: { ...work, link: { type: 'off' }, cores: [] },
  },
};
