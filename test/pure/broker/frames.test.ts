import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TabgridError } from '#protocol';
import { parseFrame } from '../../../edge/broker/worker-frames.ts';

function codeOf(text: string | ArrayBuffer): string {
  try {
    parseFrame(text);
  } catch (error) {
    if (error instanceof TabgridError) return error.code;
    throw error;
  }
  return 'taken';
}

const types = ['hello', 'credits', 'started', 'progress', 'snapshot', 'outcomes', 'adopt', 'goodbye', 'control_reply'];

describe('a frame', () => {
  it.each([
    ['{', 'invalid_frame'],
    ['null', 'invalid_frame'],
    ['[]', 'invalid_frame'],
    ['{}', 'invalid_frame'],
    ['{"type": 7}', 'invalid_frame'],
    ['{"type": "nonsense"}', 'unknown_message'],
    ['{"type": "credits", "add": 0}', 'invalid_frame'],
    ['{"type": "credits", "add": 1, "more": 1}', 'invalid_frame'],
    ['{"type": "hello", "protocol": 2}', 'upgrade_required'],
    ['{"type": "hello", "protocol": 1}', 'invalid_frame'],
    ['{"type": "started", "items": [{"task_id": "../x", "attempt": 1}]}', 'invalid_frame'],
    ['{"type": "credits", "add": 1}', 'taken'],
  ])('%s is %s', (text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it('is text, of a bounded size', () => {
    expect(codeOf(new ArrayBuffer(2))).toBe('invalid_frame');
    expect(codeOf(`{"type": "goodbye", "reason": "${'x'.repeat(8 * 1024 * 1024)}"}`)).toBe('body_too_large');
  });

  it('of any content is taken or refused, never anything else', () => {
    const frame = fc.record({ type: fc.constantFrom(...types), items: fc.jsonValue(), attempt: fc.jsonValue() });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          frame.map((value) => JSON.stringify(value)),
        ),
        (text) => {
          expect(codeOf(text)).toMatch(/^(taken|invalid_frame|unknown_message|upgrade_required)$/);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
