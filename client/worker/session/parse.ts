import { edgeFrameSchema, framesOf, type EdgeFrame } from '#protocol';

type Parsed = { frame: EdgeFrame; fault: null } | { frame: null; fault: string };

/** Reads what the edge sent; a frame that this version does not know is a fault to log, not to stop at. */
export function parseEdgeMessage(text: string): Parsed[] {
  try {
    return framesOf(JSON.parse(text)).map(parseEdgeFrame);
  } catch {
    return [{ frame: null, fault: 'A frame from the edge is not JSON.' }];
  }
}

function parseEdgeFrame(value: unknown): Parsed {
  const parsed = edgeFrameSchema.safeParse(value);
  if (parsed.success) return { frame: parsed.data, fault: null };
  const [issue] = parsed.error.issues;
  const where = issue?.path.map(String).join('.') ?? '';
  return { frame: null, fault: `A frame from the edge does not fit the protocol: ${where}: ${issue?.message ?? ''}` };
}
