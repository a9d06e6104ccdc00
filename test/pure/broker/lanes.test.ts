import { describe, expect, it } from 'vitest';
import { laneKey, providesOf, serves, type Lane, type Profile } from '../../../edge/broker/lanes.ts';

const lane: Lane = { id: 1, queue: 'default', needs: ['evaluate_candidates', 'evaluator:sim'], edge: false };
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

  it('is one for each queue and set of needs', () => {
    const { queue, needs } = lane;
    expect(laneKey({ queue, needs, edge: false })).toBe(laneKey({ queue, needs: [...needs], edge: false }));
    const others = [
      { queue: 'ml', needs, edge: false },
      { queue, needs: ['evaluate_candidates'], edge: false },
      { queue, needs, edge: true },
    ];
    expect(new Set([...others, lane].map(laneKey)).size).toBe(4);
  });

  it('may need a graphics card', () => {
    expect(providesOf({ tasks: ['a'], evaluators: [], gpu: true })).toEqual(new Set(['a', 'gpu']));
  });
});
