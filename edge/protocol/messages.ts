import { limits } from './limits.ts';

/** Frames of one message, roughly: a socket takes more, and nobody waits long for the first. */
const maxMessageChars = 1_000_000;

/**
 * Puts frames that are said at the same time into as few messages as may be: a message costs both ends more than a frame does.
 * @param frames each as JSON
 * @returns texts of one frame each, or of several as a JSON array
 */
export function messagesOf(frames: readonly string[]): string[] {
  const messages: string[] = [];
  let [from, chars] = [0, 0];
  frames.forEach((frame, at) => {
    const isFull = chars + frame.length > maxMessageChars || at - from >= limits.maxFramesPerMessage;
    if (at > from && isFull) {
      messages.push(joined(frames.slice(from, at)));
      [from, chars] = [at, 0];
    }
    chars += frame.length;
  });
  if (frames.length > from) messages.push(joined(frames.slice(from)));
  return messages;
}

function joined(frames: readonly string[]): string {
  return frames.length === 1 ? frames.join() : `[${frames.join(',')}]`;
}

/** The frames of a message. @param json as it was parsed */
export function framesOf(json: unknown): unknown[] {
  return Array.isArray(json) ? json : [json];
}
