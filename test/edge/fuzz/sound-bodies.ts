import fc from 'fast-check';
import type { Json } from '#protocol';
import type { Names } from './names.ts';
import { queue } from './neighbour.ts';

/** Signatures and canvases, of which schemas tell little. */
export function works({ campaignIds: [campaignId = ''] }: Names): fc.Arbitrary<Json> {
  const step = { task: 'ping', queue };
  const front = {
    points: [
      [1, 2],
      [2, 1],
    ],
    directions: ['min', 'max'],
  };
  return fc.constantFrom<Json>(
    step,
    { ...step, expires: 60 },
    { ...step, eta: '2031-05-05T05:05:05.5+02:00', expires: '2032-05-05T05:05:05.5+02:00' },
    { ...step, concurrency_key: 'k', concurrency_limit: 2, labels: ['a'], retry_on: ['task_failed'], quorum: 1 },
    { ...step, countdown: 5, expires: 60, time_limit: 5, soft_time_limit: 1, retry_backoff: 2, max_retries: 1 },
    { task: 'compute_pareto_front', kwargs: front, args: [] },
    {
      task: 'evaluate_candidates',
      kwargs: { candidates: [[1]], evaluator: { kind: 'builtin', name: 'sphere' } },
      queue,
    },
    { task: 'export_results', kwargs: { campaign_id: campaignId, formats: ['csv'], output_prefix: '/out' } },
    { task: 'train_surrogate', kwargs: { dataset_path: '/private/plan.csv', inputs: ['a'], targets: ['y'] }, queue },
    { chain: [step, { group: [step, { ...step, immutable: true, link_error: { ...step, immutable: true } }] }] },
    { chord: { header: [step], body: { task: 'compute_pareto_front', immutable: true, kwargs: front } } },
    { map: { task: 'ping', items: { range: [0, 5] } } },
    { starmap: { task: 'ping', items: { file: '/private/plan.csv' } } },
    { chunks: { task: 'ping', items: { grid: { x: [1, 2], y: { range: [0, 9, 3] } } }, size: 2 } },
  );
}

const campaign = {
  name: 'box',
  space: {
    inputs: [
      { name: 'a', type: 'float', min: 0, max: 6 },
      { name: 'b', type: 'integer', min: 0, max: 5 },
    ],
  },
  objectives: [{ name: 'y', goal: 'max', reference: 0 }],
  evaluator: { kind: 'builtin', name: 'sphere' },
  surrogate: { kind: 'mlp', members: 2, hidden: [8], epochs: 5, learning_rate: 0.01 },
  acquisition: { kind: 'ucb', kappa: 2 },
  initial: 3,
  batch_size: 2,
  budget: 7,
  seed: 7,
  stop: { target: 5, patience: 3 },
};

/** Bodies that are taken, of which the schema alone gives too few. */
export function soundBodies(path: string, names: Names): fc.Arbitrary<Json> | null {
  switch (path) {
    case '/v1/tasks':
      return fc.oneof(works(names), fc.array(works(names), { minLength: 1, maxLength: 3 }));
    case '/v1/workflows':
      return works(names);
    case '/v1/campaigns/run':
      return fc.constantFrom<Json>(
        campaign,
        { ...campaign, space: { pool: '/private/plan.csv' }, evaluator: { kind: 'table', path: '/private/plan.csv' } },
        { ...campaign, dataset_path: '/private/plan.csv', initial: 0, surrogate: { kind: 'gp' } },
      );
    case '/v1/campaigns/:id/observations':
      return fc.constantFrom<Json>(
        { observations: [{ inputs: { a: 1, b: 2 }, values: { y: 1 } }] },
        { observations: [{ inputs: { own: 0.5 }, values: null }] },
      );
    case '/v1/leases':
      return fc.constantFrom<Json>({
        queues: [queue, 'default'],
        count: 2,
        capabilities: { tasks: ['evaluate_candidates', 'ping', 'train_surrogate'], evaluators: ['own'] },
        kernel_digest: 'f'.repeat(64),
      });
    case '/v1/leases/:id/progress':
      return fc.constantFrom<Json>({ attempt: 1, progress: { fraction: 0.5, message: 'half', more: [1] } });
    case '/v1/leases/:id/result':
      return fc.constantFrom<Json>({ attempt: 1, result: { values: [{ y: 1 }], failed: [] }, runtime: 1 });
    case '/v1/leases/:id/failure':
      return fc.constantFrom<Json>({
        attempt: 1,
        error: { type: 'task_failed', message: 'no', traceback: 'here' },
        runtime: 1,
      });
    case '/v1/leases/:id/release':
      return fc.constantFrom<Json>({
        attempt: 1,
        reason: 'x',
        snapshot: { kernel_digest: 'f'.repeat(64), data: 'AAAA' },
      });
    default:
      return null;
  }
}
