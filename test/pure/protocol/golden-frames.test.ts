import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { edgeFrameSchema, protocolVersion, workerFrameSchema } from '#protocol';

const folder = new URL(`./golden/v${protocolVersion}/`, import.meta.url);
const files = readdirSync(folder).sort();

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
}

const sides = [
  { side: 'worker', schema: workerFrameSchema },
  { side: 'edge', schema: edgeFrameSchema },
] as const;

describe.each(sides)('golden frames of the $side', ({ side, schema }) => {
  const ofSide = files.filter((file) => file.startsWith(`${side}-`));

  it.each(ofSide)('%s is still understood, and nothing of it is lost', (file) => {
    expect(schema.parse(read(file))).toEqual(read(file));
  });

  it('show every frame type of this version', () => {
    const shown = new Set(ofSide.map((file) => (read(file) as { type: string }).type));
    const declared = schema.options.map((option) => option.shape.type.value as string);
    expect([...shown].sort()).toEqual([...declared].sort());
  });
});

describe('a frame of the worker', () => {
  it('is refused with a member that the version does not have', () => {
    expect(workerFrameSchema.safeParse({ type: 'credits', add: 1, more: true }).success).toBe(false);
  });

  it('is refused with a type that the version does not have', () => {
    expect(workerFrameSchema.safeParse({ type: 'steal', items: [] }).success).toBe(false);
  });

  it('is refused when it names another version of the protocol', () => {
    const hello = read('worker-hello.json') as object;
    expect(workerFrameSchema.safeParse({ ...hello, protocol: protocolVersion + 1 }).success).toBe(false);
  });
});

describe('a frame of the edge', () => {
  it('may have members that this version does not know', () => {
    const welcome = read('edge-welcome.json') as object;
    expect(edgeFrameSchema.parse({ ...welcome, motto: 'x' })).toEqual(welcome);
  });
});
