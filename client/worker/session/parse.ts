import { edgeFrameSchema, type EdgeFrame } from '#protocol';

/** Reads what the edge sent; a frame that this version does not know is a fault to log, not to stop at. */
export function parseEdgeFrame(text: string): { frame: EdgeFrame; fault: null } | { frame: null; fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { frame: null, fault: 'A frame from the edge is not JSON.' };
  }
  const parsed = edgeFrameSchema.safeParse(value);
  if (parsed.success) return { frame: parsed.data, fault: null };
  const [issue] = parsed.error.issues;
  const where = issue?.path.map(String).join('.') ?? '';
  return { frame: null, fault: `A frame from the edge does not fit the protocol: ${where}: ${issue?.message ?? ''}` };
}
