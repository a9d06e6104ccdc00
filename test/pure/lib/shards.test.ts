import { describe, expect, it } from 'vitest';
import { edgeDefaults, loadConfig } from '../../../edge/config.ts';
import { acceptingShards, anyShard, homeShard } from '../../../edge/lib/shards.ts';

const names = Array.from({ length: 3000 }, (_, n) => `owner ${n}`);

describe('shards', () => {
  it('are homes of about equally many names each', () => {
    const shards = [0, 1, 2, 3, 4];
    const counts = shards.map((shard) => names.filter((name) => homeShard(name, shards) === shard).length);
    for (const count of counts) expect(Math.abs(count - 600)).toBeLessThan(100);
  });

  it('take over only what is at home in them when they are added, and give up only their own when they are drained', () => {
    for (const name of names) {
      const [before, after] = [homeShard(name, [0, 1, 2]), homeShard(name, [0, 1, 2, 3])];
      expect([before, 3]).toContain(after);
      if (after !== 1) expect(homeShard(name, [0, 2, 3])).toBe(after);
    }
  });

  it('take new tasks unless they are being drained', () => {
    const config = loadConfig({ TABGRID_CONFIG: '{"shards": 4, "drainingShards": [3, 1]}' });
    expect(acceptingShards(config)).toEqual([0, 2]);
    expect(acceptingShards(edgeDefaults)).toEqual([0]);
    expect([0, 0.49, 0.5, 0.99].map((random) => anyShard(random, [0, 2]))).toEqual([0, 0, 2, 2]);
  });

  it('cannot all be drained, nor others than there are', () => {
    const refused = (config: object) => () => loadConfig({ TABGRID_CONFIG: JSON.stringify(config) });
    expect(refused({ shards: 2, drainingShards: [0, 1] })).toThrow(/drainingShards: expected at least one shard/);
    expect(refused({ drainingShards: [1] })).toThrow(/drainingShards: expected numbers below shards, 1, got 1/);
  });
});
