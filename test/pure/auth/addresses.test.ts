import { describe, expect, it } from 'vitest';
import { keyRing } from '#protocol';
import { admissionLimits, networksOf } from '../../../edge/auth/addresses.ts';

describe('the blocks around an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7', '203.0.113'],
    ['::ffff:203.0.113.7', '203.0.113.7', '203.0.113'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2', '2001:db8:1'],
    ['2001:0DB8:0001:0002::6', '2001:db8:1:2', '2001:db8:1'],
    ['2001:db8::1', '2001:db8:0:0', '2001:db8:0'],
    ['::1', '0:0:0:0', '0:0:0'],
  ])('%s lies in %s and %s', (address, narrow, wide) => {
    expect(networksOf(address)).toEqual({ narrow, wide });
  });
});

describe('what an enrolment counts against', () => {
  const keys = keyRing('a secret that is long enough for a test');

  it('is the address and its network, by hashes that do not tell them', () => {
    const limits = admissionLimits('203.0.113.7', keys);
    expect(limits.map(({ limit }) => limit)).toEqual([60, 600]);
    expect(JSON.stringify(limits)).not.toContain('203');
    const neighbour = admissionLimits('203.0.113.8', keys);
    expect(neighbour[0]?.key).not.toBe(limits[0]?.key);
    expect(neighbour[1]?.key).toBe(limits[1]?.key);
  });

  it('is one network for all whose address nobody tells', () => {
    expect(admissionLimits(null, keys)).toHaveLength(1);
    expect(admissionLimits(null, keys)).toEqual(admissionLimits(null, keys));
  });
});
