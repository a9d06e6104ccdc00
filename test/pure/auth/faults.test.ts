import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { campaignSpecSchema, evaluatorSchema, faultsOf, signatureSchema } from '#protocol';

function faults(schema: z.ZodType, value: unknown): { path: string; message: string }[] {
  const parsed = schema.safeParse(value);
  return parsed.success ? [] : faultsOf(parsed.error);
}

describe('the faults of a request', () => {
  it('name each unknown key by its own path', () => {
    expect(faults(signatureSchema, { task: 'ping', colour: 1, shape: 2 })).toEqual([
      { path: 'colour', message: 'unknown key' },
      { path: 'shape', message: 'unknown key' },
    ]);
  });

  it('name the wrong place within the form of a union that was meant', () => {
    const space = { inputs: [{ name: 'a', type: 'float', min: 0, max: 'x' }] };
    expect(faults(campaignSpecSchema.shape.space, space)).toEqual([
      { path: 'inputs.0.max', message: 'Invalid input: expected number, received string' },
    ]);
    expect(faults(evaluatorSchema, { kind: 'table', path: '../x' }).map(({ path }) => path)).toEqual(['path']);
    expect(faults(evaluatorSchema, { kind: 'named', name: 'barrel', command: 'rm' })).toEqual([
      { path: 'command', message: 'unknown key' },
    ]);
  });

  it('are none for each form of an evaluator', () => {
    for (const evaluator of [
      { kind: 'builtin', name: 'sphere' },
      { kind: 'builtin', suite: 'bbob', function: 1, instance: 1 },
      { kind: 'table', path: '/datasets/barrel.csv' },
      { kind: 'model', model_path: '/models/m.json' },
      { kind: 'named', name: 'barrel' },
    ]) {
      expect(faults(evaluatorSchema, evaluator)).toEqual([]);
    }
  });
});
