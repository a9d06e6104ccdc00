import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { framesOf, limits, messagesOf } from '#protocol';

const read = (messages: readonly string[]): unknown[] => messages.flatMap((text) => framesOf(JSON.parse(text)));

describe('frames in messages', () => {
  it('come out as they went in, few in one message', () => {
    const frames = fc.array(fc.record({ type: fc.string(), items: fc.array(fc.integer()) }));
    fc.assert(
      fc.property(frames, (given) => {
        const messages = messagesOf(given.map((frame) => JSON.stringify(frame)));
        expect(messages.length).toBe(Math.min(given.length, 1));
        expect(read(messages)).toEqual(given);
      }),
    );
  });

  it('go by themselves where there is one, and where together they would be long', () => {
    expect(messagesOf(['{"type":"ack"}'])).toEqual(['{"type":"ack"}']);
    const long = JSON.stringify({ text: 'x'.repeat(600_000) });
    expect(messagesOf([long, '{}', '{}', long])).toEqual([`[${long},{},{}]`, long]);
    expect(messagesOf([long, long, long])).toEqual([long, long, long]);
    expect(messagesOf([])).toEqual([]);
    const many = Array<string>(limits.maxFramesPerMessage + 1).fill('{}');
    expect(messagesOf(many).map((text) => framesOf(JSON.parse(text)).length)).toEqual([many.length - 1, 1]);
  });
});
