import { describe, expect, it } from 'vitest';
import { laneKey, providesOf, serves, type NewLane, type Profile } from '../../../edge/broker/lanes.ts';

const lane: NewLane = {
  queue: 'default',
  needs: ['evaluate_candidates', 'evaluator:sim'],
  edge: false,
  owner: 'alice',
  concurrency: null,
};
const profile: Profile = {
  queues: new Set(['default']),
  provides: providesOf({ tasks: ['evaluate_candidates'], evaluators: ['sim'], gpu: false }),
  trusted: true,
};

describe('a lane', () => {
  it('is served by a worker that has its queue and all that it needs', () => {
    expect(serves(profile, lane)).toBe(true);
    expect(serves({ ...profile, queues: new Set(['ml']) }, lane)).toBe(false);
    expect(serves({ ...profile, provides: new Set(['evaluate_candidates']) }, lane)).toBe(false);
  });

  it('is not served by a stranger', () => {
    expect(serves({ ...profile, trusted: false }, lane)).toBe(false);
  });

  it('is one for each queue, set of needs, owner and concurrency limit', () => {
    expect(laneKey({ ...lane, needs: [...lane.needs] })).toBe(laneKey(lane));
    const others: NewLane[] = [
      { ...lane, queue: 'ml' },
      { ...lane, needs: ['evaluate_candidates'] },
      { ...lane, edge: true },
      { ...lane, owner: 'bob' },
      { ...lane, concurrency: { key: 'k', limit: 1 } },
      { ...lane, concurrency: { key: 'k', limit: 2 } },
    ];
    expect(new Set([...others, lane].map(laneKey)).size).toBe(7);
  });

  it('may need a graphics card', () => {
    expect(providesOf({ tasks: ['a'], evaluators: [], gpu: true })).toEqual(new Set(['a', 'gpu']));
  });
});
