import { describe, expect, it } from 'vitest';
import { edgeDefaults, loadConfig } from '../../../edge/config.ts';

describe('the configuration', () => {
  it('is the defaults, where nothing is set', () => {
    expect(loadConfig({})).toBe(edgeDefaults);
    expect(loadConfig({ TABGRID_CONFIG: ' ' })).toBe(edgeDefaults);
  });

  it('takes overrides one by one', () => {
    expect(loadConfig({ TABGRID_CONFIG: '{"leaseMs": 60000}' })).toEqual({ ...edgeDefaults, leaseMs: 60_000 });
  });

  it.each([
    ['{', 'expected a JSON object'],
    ['{"leaseMs": -1}', 'TABGRID_CONFIG.leaseMs'],
    ['{"leaseSeconds": 1}', 'leaseSeconds'],
    ['{"leaseMs": 10000, "heartbeatMs": 9000}', 'TABGRID_CONFIG.heartbeatMs: expected at most half of leaseMs'],
    ['{"softTimeLimitMs": 9000000}', 'TABGRID_CONFIG.softTimeLimitMs: expected at most timeLimitMs'],
  ])('refuses %s, naming what does not fit', (text, message) => {
    expect(() => loadConfig({ TABGRID_CONFIG: text })).toThrow(message);
  });
});
