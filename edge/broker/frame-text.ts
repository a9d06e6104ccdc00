import { faultsOf, isLongerThan, isTextDeeperThan, TabgridError } from '#protocol';
import type { z } from 'zod';

/** The JSON of a frame. @throws TabgridError `invalid_frame`, `body_too_large` */
export function parseFrameText(text: string | ArrayBuffer, maxBytes: number, maxDepth = Infinity): unknown {
  if (typeof text !== 'string') throw new TabgridError('invalid_frame', 'expected a text frame with JSON');
  if (isLongerThan(text, maxBytes)) throw new TabgridError('body_too_large', `a frame has at most ${maxBytes} bytes`);
  if (isTextDeeperThan(text, maxDepth)) {
    throw new TabgridError('invalid_frame', `frame: expected at most ${maxDepth} levels of nesting`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new TabgridError('invalid_frame', 'the frame is not JSON');
  }
}

/** What a schema says of a frame that does not fit. */
export function invalidFrame(error: z.ZodError): TabgridError {
  const faults = faultsOf(error);
  const [first = { path: '', message: 'does not fit' }] = faults;
  const where = first.path === '' ? 'frame' : first.path;
  return new TabgridError('invalid_frame', `${where}: ${first.message}`, { details: { faults } });
}
